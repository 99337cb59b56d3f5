"""TLS at the start: what is wrong with a certificate or its key is told with the setting and the file."""
import subprocess
import time

import pytest

import box as box_module

KIND = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def make_pair(folder, name, *args):
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    openssl("req", "-x509", *KIND, "-nodes", "-subj", "/CN=box", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", key, "-out", cert, *(args or ("-days", "2")))
    return cert, key


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Pairs of certificate and key, good and bad, by name."""
    folder = tmp_path_factory.mktemp("pem")
    cert, key = make_pair(folder, "good")
    other_cert, other_key = make_pair(folder, "other")
    locked, text, empty, cut, joined = (folder / name for name in ("locked.key", "text.pem", "empty.pem", "cut.pem", "joined.pem"))
    openssl("pkey", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked)
    text.write_text("this is no certificate\n")
    empty.write_text("")
    cut.write_text(cert.read_text() + other_cert.read_text()[:300])
    joined.write_text(key.read_text() + cert.read_text() + other_cert.read_text())
    return {"good": (cert, key), "other": (other_cert, other_key), "locked": locked, "text": text, "empty": empty,
            "cut": cut, "joined": joined, "folder": folder, "none": folder / "none.pem"}


def make_for_times(folder, begin, end):
    """`openssl req` only knows days from now; its certificate authority takes any times."""
    key, asked, cert, conf = (folder / name for name in ("old.key", "old.csr", "old.pem", "ca.conf"))
    conf.write_text(f"[ca]\ndefault_ca=own\n[own]\ndatabase={folder}/index\nnew_certs_dir={folder}\n"
                    f"rand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n")
    (folder / "index").write_text("")
    openssl("req", "-new", *KIND, "-nodes", "-subj", "/CN=box", "-keyout", key, "-out", asked)
    openssl("ca", "-batch", "-config", conf, "-selfsign", "-keyfile", key, "-in", asked, "-out", cert, "-notext",
            "-startdate", begin, "-enddate", end)
    return cert, key


def serve(tmp_path, cert, key):
    done = box_module.run("serve", "--data", tmp_path / "data", "--api", "127.0.0.1:0", "--console", "-",
                          "--api-tls-cert", cert, "--api-tls-key", key)
    assert not (tmp_path / "data").exists()  # told before anything is made
    return done.returncode, done.stderr


def assert_told(tmp_path, cert, key, *words):
    code, said = serve(tmp_path, cert, key)
    assert code == 1 and said.count("\n") == 1, said
    for word in words:
        assert str(word) in said, said


# BOX-TLS-1
@pytest.mark.parametrize("name, words", [
    ("none", ("none.pem",)), ("folder", ("pem",)), ("text", ("text.pem", "no certificate in PEM")),
    ("empty", ("empty.pem", "no certificate in PEM")), ("cut", ("cut.pem", "no certificate in PEM"))])
def test_certificates_that_are_none(tmp_path, files, name, words):
    assert_told(tmp_path, files[name], files["good"][1], "api.tls_cert", *words)


# BOX-TLS-1
@pytest.mark.parametrize("name, words", [
    ("none", ("none.pem",)), ("folder", ("pem",)), ("text", ("text.pem", "no private key in PEM")),
    ("empty", ("empty.pem", "no private key in PEM")), ("locked", ("locked.key", "without a passphrase"))])
def test_keys_that_are_none(tmp_path, files, name, words):
    assert_told(tmp_path, files["good"][0], files[name], "api.tls_key", *words)


# BOX-TLS-1
def test_the_key_of_another_certificate(tmp_path, files):
    assert_told(tmp_path, files["good"][0], files["other"][1], "api.tls_key", files["other"][1],
                "not the key of this certificate")


# BOX-TLS-1
def test_a_chain_with_its_key_in_one_file(new_box, files):
    box = new_box(args=("--api-tls-cert", files["joined"], "--api-tls-key", files["joined"]))
    assert box.raw(user=None).request("GET", "/-/health").status == 200


# BOX-TLS-1
@pytest.mark.parametrize("times, said", [
    (("20200101000000Z", "20200102000000Z"), "expired at 2020-01-02T00:00:00.000Z"),
    (("20900101000000Z", "20900102000000Z"), "not valid before 2090-01-01T00:00:00.000Z")])
def test_a_certificate_out_of_its_time(new_box, tmp_path, times, said):
    """It is served with, since the clock may be what is wrong, and warned of."""
    cert, key = make_for_times(tmp_path, *times)
    box = new_box(args=("--api-tls-cert", cert, "--api-tls-key", key))
    assert box.raw(user=None).request("GET", "/-/health").status == 200
    deadline = time.monotonic() + 5
    while said not in box.stderr() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "lvl=warn mod=tls" in box.stderr() and "api.tls_cert" in box.stderr() and said in box.stderr()
