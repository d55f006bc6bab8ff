"""Bringing a published corpus onto a disk: a Dataverse's files, whole or design by design, checked and resumable."""
