"""The benchmark of authentication, held to its targets: CPU of ours beside dkimpy and pyspf, a resident opendkim."""

from __future__ import annotations

from typing import Any

from bench import auth

ABOUT = "RSA at least 5x dkimpy and 1x a resident opendkim, Ed25519 3x and 1.5x dkimpy at 4 KB; SPF, loop lag told"


def run(size: str) -> dict[str, object]:
    """The figures; only the full size, on a machine that does nothing else, is judged by them."""
    figures = auth.run(size)
    if size == "full":
        _judged(figures)
    return {"cases": len(auth.SIZES) * 6, **figures}


def _judged(figures: dict[str, object]) -> None:
    for name in auth.SIZES:
        for what in ("sign_us", "verify_us"):
            ratios: Any = figures[f"rsa {name}"]
            _met(f"rsa {name} {what} dkimpy", ratios[what]["ratio dkimpy"], 5.0)
            _met(f"rsa {name} {what} opendkim", ratios[what]["ratio opendkim"], 1.0)
    edwards: Any = figures["ed25519 4 KB"]
    _met("ed25519 sign", edwards["sign_us"]["ratio dkimpy"], 3.0)
    _met("ed25519 verify", edwards["verify_us"]["ratio dkimpy"], 1.5)


def _met(what: str, ratio: float, target: float) -> None:
    assert ratio >= target, f"{what}: {ratio} is under {target}"
