"""Which data set a file belongs to, by the SHA-256 of its decompressed bytes.

The gzip files in circulation differ (Debian re-compressed them), so a checksum of the .gz says
nothing. Fashion-MNIST was replaced on 2017-08-31; these are the files since then.
"""

from __future__ import annotations

import numpy as np

from fashioncnn.data.idx import IdxFile

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

# MNIST's are the same.
SHAPES = ((60_000, 28, 28), (60_000,), (10_000, 28, 28), (10_000,))

FASHION_MNIST = dict(
    zip(
        FILES,
        (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        strict=True,
    )
)
MNIST = dict(
    zip(
        FILES,
        (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        strict=True,
    )
)
# MNIST's classes are not balanced, so its labels are known even when re-ordered.
MNIST_CLASS_COUNTS = (
    (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
)


def fault(name: str, file: IdxFile) -> str | None:
    """Say why `file` is not Fashion-MNIST's `name`, or None when it is."""
    if file.sha256 == FASHION_MNIST[name]:
        return None
    if _is_mnist(file):
        return (
            "this is MNIST (handwritten digits), not Fashion-MNIST: the files have the same names"
        )
    for other, sha256 in FASHION_MNIST.items():
        if file.sha256 == sha256:
            return f"this is Fashion-MNIST's {other}, not its {name}"
    return (
        f"not Fashion-MNIST's {name}: its decompressed SHA-256 is {file.sha256[:16]}…, "
        f"that of the set since 2017-08-31 is {FASHION_MNIST[name][:16]}…"
    )


def _is_mnist(file: IdxFile) -> bool:
    if file.sha256 in MNIST.values():
        return True
    counts = np.bincount(file.elements, minlength=10) if file.elements.ndim == 1 else ()
    return tuple(int(count) for count in counts) in MNIST_CLASS_COUNTS
