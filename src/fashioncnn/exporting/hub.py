"""To the Hugging Face hub, where its client is installed and logged in."""

from __future__ import annotations

from pathlib import Path

from fashioncnn.errors import BundleError, ExtraError


def push(folder: Path, repository: str) -> str:
    """Upload a bundle as OWNER/NAME, made where it is not there; return its address.

    Raises ExtraError without the client, BundleError when the hub refuses or is not reached.
    """
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise ExtraError("--push needs the hub's client: pip install huggingface_hub") from None
    hub = HfApi()
    try:
        address = hub.create_repo(repository, exist_ok=True)
        hub.upload_folder(
            repo_id=repository, folder_path=folder, commit_message=f"fashioncnn: {folder.name}"
        )
    except Exception as error:
        # The client raises its own errors, httpx's, and ValueError for a name.
        words = " ".join(str(error).split())[:300]
        raise BundleError(f"{repository}: the hub does not take it: {words}") from None
    return str(address)
