# SPDX-License-Identifier: MIT
"""An authority of openssl's that can take back what it signed: by a list, and by an OCSP answer."""
import os
import subprocess

from exporting import make_cert


class Authority:
    """Its certificate is `cert`. `issue` gives the PEM, with key, of a server on 127.0.0.1."""

    def __init__(self, folder, name="authority"):
        self.folder, self.name = folder, name
        self.cert = make_cert(folder, name, name + ".example.com")[1]
        self.issued = {}  # name -> serial, as openssl's index has it

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *args, at=None):
        then = ["faketime", at] if at else []
        return subprocess.run([*then, "openssl", *args], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def issue(self, name):
        both, cert = make_cert(self.folder, name, authority=self.name)
        serial = self.openssl("x509", "-in", cert, "-noout", "-serial")
        self.issued[name] = serial.strip().split("=")[1]
        return both

    def write_index(self, revoked):
        index = self.path(self.name + ".index")
        with open(index, "w", encoding="ascii") as f:
            for name, serial in self.issued.items():
                state, since = ("R", "250101000000Z") if name in revoked else ("V", "")
                f.write("%s\t491231235959Z\t%s\t%s\tunknown\t/CN=%s\n" % (state, since, serial, name))
        with open(index + ".attr", "w", encoding="ascii") as f:
            f.write("unique_subject = no\n")
        return index

    def revoke(self, *names, at=None):
        """The list, for two days from now or from `at`."""
        index, conf = self.write_index(names), self.path("ca.conf")
        out = self.path("%s.%s.crl" % (self.name, "-".join((*names, at or "now"))))
        with open(conf, "w", encoding="ascii") as f:
            f.write("[ca]\ndefault_ca = us\n[us]\ndatabase = %s\ndefault_md = sha256\n" % index)
        self.openssl("ca", "-gencrl", "-config", conf, "-crldays", "2", "-cert", self.cert,
                     "-keyfile", self.path(self.name + ".key"), "-out", out, at=at)
        return out

    def staple(self, name, revoked=(), at=None):
        """What a responder of ours says of one certificate, for two days."""
        request, out = self.path("request.der"), self.path("%s.%s.staple" % (name, "-".join((*revoked, at or "now"))))
        self.openssl("ocsp", "-issuer", self.cert, "-cert", self.path(name + ".crt"), "-no_nonce",
                     "-reqout", request)
        self.openssl("ocsp", "-index", self.write_index(revoked), "-CA", self.cert, "-rsigner",
                     self.cert, "-rkey", self.path(self.name + ".key"), "-reqin", request,
                     "-respout", out, "-ndays", "2", at=at)
        return out
