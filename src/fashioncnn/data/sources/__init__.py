"""Where labelled pictures come from: one kind of file a file, registered here.

They are asked in the order of the registry which of them knows what lies at a place.
"""

from __future__ import annotations

from fashioncnn.data.sources.base import Source
from fashioncnn.data.sources.csv_files import CsvFiles
from fashioncnn.data.sources.fashion_mnist import FashionMNIST
from fashioncnn.data.sources.folders import Folders
from fashioncnn.data.sources.idx_pairs import IdxPairs
from fashioncnn.data.sources.npz_file import NpzFile
from fashioncnn.registry import Registry

SOURCES: Registry[type[Source]] = Registry(
    lambda source: source.kind, (FashionMNIST, IdxPairs, NpzFile, CsvFiles, Folders)
)
