"""The object store as a Python model: what each operation must answer, said in the plainest way.

A bucket holds for each key a list of versions, newest first. An unversioned bucket has at most one,
whose id is "null"; so does what a suspended one writes. Ids of others are given by the real store.
"""


class Version:
    def __init__(self, id, body=None, metadata=None, tags=None):
        self.id, self.body, self.metadata, self.tags = id, body, metadata or {}, tags or {}

    @property
    def is_marker(self):
        return self.body is None


class Bucket:
    def __init__(self):
        self.status = None
        self.keys = {}

    def versions(self, key):
        return self.keys.get(key, [])

    def latest(self, key):
        """The object that a plain GET finds, or None."""
        versions = self.versions(key)
        return versions[0] if versions and not versions[0].is_marker else None

    def find(self, key, id):
        return next((version for version in self.versions(key) if version.id == id), None)

    def add(self, key, version):
        """A new latest version; one with id null takes the place of the null version."""
        kept = [old for old in self.versions(key) if version.id != "null" or old.id != "null"]
        self.keys[key] = [version, *kept]

    def put(self, key, id, body, metadata):
        self.add(key, Version(id if self.status == "Enabled" else "null", body, metadata))

    def delete(self, key, id=None):
        """A simple delete. id: of the marker that the real store made, where it made one."""
        if self.status is None:
            self.keys.pop(key, None)
        else:
            self.add(key, Version(id if self.status == "Enabled" else "null"))

    def delete_version(self, key, id):
        left = [version for version in self.versions(key) if version.id != id]
        if left:
            self.keys[key] = left
        else:
            self.keys.pop(key, None)

    def is_empty(self):
        return not self.keys

    def objects(self):
        """(key, version) of what a listing shows, in order."""
        for key in sorted(self.keys, key=str.encode):
            if self.latest(key):
                yield key, self.latest(key)

    def all_versions(self):
        """(key, id, is_latest, is_marker), in order."""
        for key in sorted(self.keys, key=str.encode):
            for i, version in enumerate(self.keys[key]):
                yield key, version.id, i == 0, version.is_marker

    def listing(self, prefix="", delimiter=""):
        """(keys, folded prefixes)."""
        keys, prefixes = [], []
        for key, _ in self.objects():
            if not key.startswith(prefix):
                continue
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            if at < 0:
                keys.append(key)
            elif key[:at + len(delimiter)] not in prefixes:
                prefixes.append(key[:at + len(delimiter)])
        return keys, prefixes
