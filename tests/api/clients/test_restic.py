"""restic: a repository in the box; backed up, checked with all its data, restored, pruned."""
import tree


def test_backup(restic, tmp_path):
    """The bucket is made by restic itself."""
    up = tree.make(tmp_path / "up", 1000)
    restic.run("init")
    restic.run("init", status=1)
    restic.run("backup", up)
    tree.change(up)
    restic.run("backup", up)
    restic.run("check", "--read-data")
    restic.run("restore", "latest", "--target", tmp_path / "down")
    tree.assert_same(up, tmp_path / "down" / up.relative_to("/"))
    restic.run("forget", "--keep-last", "1", "--prune")
    restic.run("check", "--read-data", "--no-cache")
    assert restic.run("snapshots", "--json").count('"short_id"') == 1
    restic.run("restore", "latest", "--target", tmp_path / "again")
    tree.assert_same(up, tmp_path / "again" / up.relative_to("/"))
