"""Random histories of operations against the model of reference.py: buckets in each state of
versioning, versions, markers, tags, conditions, listings in pages; stops and kills in between.

Planted and caught: a delete marker that stays when a suspended bucket's null version is replaced.
"""
import hashlib
import os
import random

import hypothesis.strategies as st
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from reference import Bucket, Version

EXAMPLES = int(os.environ.get("VALISE_MODEL_EXAMPLES", "40"))
STEPS = int(os.environ.get("VALISE_MODEL_STEPS", "40"))
SHRINK = bool(os.environ.get("VALISE_MODEL_SHRINK"))  # minutes, for a history that failed
BUCKETS = ["one", "two"]
KEYS = ["a", "a/b", "a/", "b", "ü +%"]
SIZES = [0, 1, 1000, 65_535, 65_536, 65_537, 300_000, 1_100_000]

# Most happens to one key of one bucket: states that need several steps on one key are reached.
key = st.sampled_from(["a"] * 6 + KEYS)
name = st.sampled_from(["one"] * 6 + BUCKETS)
size = st.sampled_from(SIZES)
seed = st.integers(0, 1000)
pick = st.integers(0, 10)


def body_of(size, seed):
    return random.Random(size * 1009 + seed).randbytes(size)


def tag_of(body):
    return '"' + hashlib.md5(body).hexdigest() + '"'


class Machine(RuleBasedStateMachine):
    box = None  # set by the test
    run = 0

    def __init__(self):
        super().__init__()
        Machine.run += 1
        self.names = {name: f"run{Machine.run}-{name}" for name in BUCKETS}
        self.buckets = {}
        self.s3 = self.box.s3()

    def call(self, operation, bucket, **args):
        """(answer, None), or (None, code of the refusal)."""
        try:
            return getattr(self.s3, operation)(Bucket=self.names[bucket], **args), None
        except ClientError as error:
            return None, error.response["Error"]["Code"]

    def expect(self, wanted, operation, bucket, **args):
        """The answer; wanted: the code it must be refused with, or None. A bucket that is not
        there refuses all."""
        if bucket not in self.buckets:
            wanted = "404" if operation.startswith("head_") else "NoSuchBucket"
        answer, code = self.call(operation, bucket, **args)
        assert code == wanted, (operation, args.keys(), code, wanted)
        return answer

    @initialize(status=st.sampled_from([None, "Enabled", "Suspended"]))
    def begin(self, status):
        self.create_bucket("one")
        if status:
            self.set_versioning("one", status)

    @rule(bucket=name)
    def create_bucket(self, bucket):
        _, code = self.call("create_bucket", bucket)
        assert code == ("BucketAlreadyOwnedByYou" if bucket in self.buckets else None)
        self.buckets.setdefault(bucket, Bucket())

    @rule(bucket=name)
    def delete_bucket(self, bucket):
        model = self.buckets.get(bucket)
        self.expect("BucketNotEmpty" if model and not model.is_empty() else None, "delete_bucket", bucket)
        if model and model.is_empty():
            del self.buckets[bucket]

    @rule(bucket=name, status=st.sampled_from(["Enabled", "Suspended"]))
    def set_versioning(self, bucket, status):
        if self.expect(None, "put_bucket_versioning", bucket, VersioningConfiguration={"Status": status}):
            self.buckets[bucket].status = status

    @rule(bucket=name, key=key, size=size, seed=seed, condition=st.sampled_from([None, None, None, "none", "match", "other"]))
    def put(self, bucket, key, size, seed, condition):
        body, metadata = body_of(size, seed), {"seed": str(seed)}
        model = self.buckets.get(bucket)
        current = model.latest(key) if model else None
        args, wanted = {}, None
        if condition == "none":
            args, wanted = {"IfNoneMatch": "*"}, "PreconditionFailed" if current else None
        elif condition == "match" and current:
            args = {"IfMatch": tag_of(current.body)}
        elif condition in ("match", "other"):
            args, wanted = {"IfMatch": tag_of(b"other")}, "PreconditionFailed" if current else "NoSuchKey"
        answer = self.expect(wanted, "put_object", bucket, Key=key, Body=body, Metadata=metadata, **args)
        if answer:
            assert answer["ETag"] == tag_of(body)
            assert ("VersionId" in answer) == (model.status == "Enabled") or answer["VersionId"] == "null"
            model.put(key, answer.get("VersionId", "null"), body, metadata)

    @rule(bucket=name, key=key)
    def get(self, bucket, key):
        model = self.buckets.get(bucket)
        version = model.latest(key) if model else None
        answer = self.expect(None if version else "NoSuchKey", "get_object", bucket, Key=key)
        if answer:
            self.check(answer, version)
            assert answer["Body"].read() == version.body

    @rule(bucket=name, key=key, first=st.integers(0, 400_000), length=st.integers(1, 400_000))
    def get_a_range(self, bucket, key, first, length):
        model = self.buckets.get(bucket)
        version = model.latest(key) if model else None
        wanted = None if version and first < len(version.body) else "InvalidRange" if version else "NoSuchKey"
        answer = self.expect(wanted, "get_object", bucket, Key=key, Range=f"bytes={first}-{first + length - 1}")
        if answer:
            assert answer["Body"].read() == version.body[first:first + length]

    def check(self, answer, version):
        assert (answer["ContentLength"], answer["ETag"]) == (len(version.body), tag_of(version.body))
        assert answer["Metadata"] == version.metadata
        assert answer.get("VersionId", "null") == version.id
        assert answer.get("TagCount", 0) == len(version.tags)

    def any_version(self, bucket, pick):
        """(key, version) of those there are, or None."""
        model = self.buckets.get(bucket)
        there = [(key, version) for key, versions in sorted(model.keys.items()) for version in versions] if model else []
        return there[pick % len(there)] if there else None

    @rule(bucket=name, pick=pick)
    def get_version(self, bucket, pick):
        found = self.any_version(bucket, pick)
        if not found:
            return
        key, version = found
        wanted = "MethodNotAllowed" if version.is_marker else None
        answer = self.expect(wanted, "get_object", bucket, Key=key, VersionId=version.id)
        if answer:
            self.check(answer, version)
            assert answer["Body"].read() == version.body

    @rule(bucket=name, key=key)
    def head(self, bucket, key):
        model = self.buckets.get(bucket)
        version = model.latest(key) if model else None
        answer = self.expect(None if version else "404", "head_object", bucket, Key=key)
        if answer:
            answer["TagCount"] = len(version.tags)  # HEAD need not count them
            self.check(answer, version)

    @rule(bucket=name, key=key)
    def delete(self, bucket, key):
        model = self.buckets.get(bucket)
        answer = self.expect(None, "delete_object", bucket, Key=key)
        if answer:
            assert answer.get("DeleteMarker", False) == (model.status is not None)
            model.delete(key, answer.get("VersionId"))

    @rule(bucket=name, pick=pick)
    def delete_version(self, bucket, pick):
        found = self.any_version(bucket, pick)
        if found:
            key, version = found
            answer = self.expect(None, "delete_object", bucket, Key=key, VersionId=version.id)
            assert answer.get("DeleteMarker", False) == version.is_marker
            self.buckets[bucket].delete_version(key, version.id)

    @rule(bucket=name, keys=st.lists(key, min_size=1, max_size=4, unique=True))
    def delete_many(self, bucket, keys):
        answer = self.expect(None, "delete_objects", bucket, Delete={"Objects": [{"Key": key} for key in keys]})
        if answer:
            markers = {entry["Key"]: entry.get("DeleteMarkerVersionId") for entry in answer["Deleted"]}
            assert set(markers) == set(keys)
            for key in keys:
                self.buckets[bucket].delete(key, markers[key])

    @rule(bucket=name, pick=pick, tags=st.dictionaries(st.sampled_from(["x", "y", "z"]), st.sampled_from(["", "1", "ü"])))
    def tag(self, bucket, pick, tags):
        found = self.any_version(bucket, pick)
        if not found:
            return
        key, version = found
        wanted = "MethodNotAllowed" if version.is_marker else None
        tag_set = [{"Key": name, "Value": value} for name, value in tags.items()]
        if self.expect(wanted, "put_object_tagging", bucket, Key=key, VersionId=version.id, Tagging={"TagSet": tag_set}):
            version.tags = tags
            answer = self.expect(None, "get_object_tagging", bucket, Key=key, VersionId=version.id)
            assert {entry["Key"]: entry["Value"] for entry in answer["TagSet"]} == tags

    @rule(bucket=name, prefix=st.sampled_from(["", "a", "a/", "a/b", "z"]), delimiter=st.sampled_from(["", "/", "b"]),
          max_keys=st.sampled_from([1, 2, 3, 1000]), old=st.booleans())
    def list(self, bucket, prefix, delimiter, max_keys, old):
        args = {"Prefix": prefix, "Delimiter": delimiter, "MaxKeys": max_keys}
        operation = "list_objects" if old else "list_objects_v2"
        keys, prefixes = [], []
        while True:
            page = self.expect(None, operation, bucket, **args)
            if page is None:
                return
            keys += [entry["Key"] for entry in page.get("Contents", [])]
            prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
            if not page["IsTruncated"]:
                break
            if old:
                args["Marker"] = page.get("NextMarker") or page["Contents"][-1]["Key"]
            else:
                args["ContinuationToken"] = page["NextContinuationToken"]
        assert (keys, prefixes) == self.buckets[bucket].listing(prefix, delimiter)

    @rule(bucket=name, max_keys=st.sampled_from([1, 2, 1000]))
    def list_versions(self, bucket, max_keys):
        if bucket in self.buckets:
            self.check_versions(bucket, max_keys)

    def check_versions(self, bucket, max_keys=1000):
        got, query = [], {}
        while True:
            page = self.expect(None, "list_object_versions", bucket, MaxKeys=max_keys, **query)
            got += [(entry["Key"], entry["VersionId"], entry["IsLatest"], False) for entry in page.get("Versions", [])]
            got += [(entry["Key"], entry["VersionId"], entry["IsLatest"], True) for entry in page.get("DeleteMarkers", [])]
            if not page["IsTruncated"]:
                break
            query = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
        wanted = list(self.buckets[bucket].all_versions())
        assert sorted(got) == sorted(wanted), (got, wanted)

    @rule()
    @precondition(lambda self: self.buckets)
    def stop_and_start(self):
        self.box.restart()
        self.s3 = self.box.s3()

    @rule()
    @precondition(lambda self: self.buckets)
    def kill_and_start(self):
        self.box.kill()
        self.box.start()
        self.s3 = self.box.s3()

    @invariant()
    def buckets_are_listed(self):
        there = {entry["Name"] for entry in self.s3.list_buckets()["Buckets"]}
        assert {name for name in there if name.startswith(f"run{Machine.run}-")} == \
            {self.names[bucket] for bucket in self.buckets}

    def teardown(self):
        """At the end everything is as the model has it, and then everything goes."""
        for bucket, model in list(self.buckets.items()):
            self.check_versions(bucket)
            for key, versions in model.keys.items():
                for version in versions:
                    if not version.is_marker:
                        got = self.expect(None, "get_object", bucket, Key=key, VersionId=version.id)
                        assert got["Body"].read() == version.body
                    self.expect(None, "delete_object", bucket, Key=key, VersionId=version.id)
            self.expect(None, "delete_bucket", bucket)


@pytest.mark.slow
def test_random_histories(new_box):
    Machine.box = new_box()
    run_state_machine_as_test(Machine, settings=settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None, print_blob=True,
        phases=[phase for phase in Phase if SHRINK or phase != Phase.shrink],
        suppress_health_check=list(HealthCheck)))


def test_the_model_itself():
    bucket = Bucket()
    bucket.put("k", "ignored", b"1", {})
    bucket.status = "Enabled"
    bucket.put("k", "v1", b"2", {})
    assert [version.id for version in bucket.versions("k")] == ["v1", "null"]
    bucket.status = "Suspended"
    bucket.delete("k")
    assert [(version.id, version.is_marker) for version in bucket.versions("k")] == [("null", True), ("v1", False)]
    assert bucket.latest("k") is None and Version("x").is_marker
