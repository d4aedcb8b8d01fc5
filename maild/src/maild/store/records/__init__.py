"""The store's vocabulary: frozen records and, beside each group of them, the protocol that reads and writes them.

``maild.store.interface`` joins the groups to the ``Store`` protocol; the records hold no behaviour but naming.
"""
