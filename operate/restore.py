"""A deploy that brings mail back from ``restore_from``, opened by ``restore_identity``, onto an empty server."""

from pyinfra import local

local.include("deploy.py")
