"""Certificates for the servers of the tests."""
import os
import subprocess


def make_certificate(folder, name, signer=None):
    """A file with a certificate for localhost and its key; `signer`: such a file of an authority."""
    path = os.path.join(folder, name + ".pem")
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=" + name, "-keyout", path, "-out", path + ".crt"]
    if signer:
        words += ["-CA", signer, "-CAkey", signer, "-addext", "subjectAltName=DNS:localhost",
                  "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(words, check=True, capture_output=True)
    with open(path, "a", encoding="ascii") as both, open(path + ".crt", encoding="ascii") as crt:
        both.write(crt.read())
    return path
