#!/usr/bin/env python3
"""Prints tests/auth/token_vectors.inc: keys and tokens that none of our code made.

Needs PyJWT and cryptography from PyPI (made with 2.15.1 and 50.0.2). Each run makes new RSA and EC
keys, so the whole file changes:

    python3 tests/auth/make_vectors.py > tests/auth/token_vectors.inc

All good tokens are valid from 1,700,000,000 to 1,700,003,600 seconds after 1970.
"""

import base64
import datetime
import hashlib
import hmac
import json

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.x509.oid import NameOID

NOW = 1_700_000_000
SECRET = b"an-hmac-secret-of-thirty-two-by+"
OTHER_SECRET = b"another-secret-of-thirty-two-byt"


def c_string(data):
    """A C literal, cut at line ends and after 90 bytes."""
    if isinstance(data, str):
        data = data.encode()
    lines, line = [], ""
    for byte in data:
        c = chr(byte)
        if c == "\n":
            lines.append(line + "\\n")
            line = ""
            continue
        line += c if 0x20 <= byte < 0x7F and c not in '"\\?' else "\\%03o" % byte
        if len(line) >= 90:
            lines.append(line)
            line = ""
    if line or not lines:
        lines.append(line)
    return "\n    ".join(f'"{text}"' for text in lines)


def emit(name, data):
    print(f"UNUSED static const char {name}[] =\n    {c_string(data)};\n")


def b64(data):
    if isinstance(data, (dict, list)):
        data = json.dumps(data, separators=(",", ":"))
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(text):
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def hs256(header, payload, secret=SECRET):
    """Signs any header and payload, whatever a library thinks of them."""
    signed = f"{b64(header)}.{b64(payload)}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{b64(mac)}"


def public_pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stompgate test")])
    start = datetime.datetime(2020, 1, 1)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), 1, start, start + datetime.timedelta(days=30)
    ).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def claims(**more):
    made = {"iss": "https://issuer.example", "sub": "alice", "aud": "chat", "iat": NOW, "exp": NOW + 3600}
    made.update(more)
    return {name: value for name, value in made.items() if value is not None}


HEADER = {"alg": "HS256", "typ": "JWT"}


def json_with(text):
    """The good payload's text with something at its front."""
    return "{" + text + json.dumps(claims())[1:]


def deep(levels):
    return '"x":' + "[" * levels + "]" * levels + ","


def crooked(token):
    """Sets a bit that no byte of the signature has: 32 bytes leave 2 bits over."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def main():
    rsa_key = rsa.generate_private_key(65537, 2048)
    ec_key = ec.generate_private_key(ec.SECP256R1())
    rs256 = jwt.encode(claims(), rsa_key, "RS256")
    es256 = jwt.encode(claims(), ec_key, "ES256")
    plain = jwt.encode(claims(), SECRET, "HS256")
    head, body, sig = plain.split(".")
    rs_head, rs_body, rs_sig = rs256.split(".")
    es_head, es_body, es_sig = es256.split(".")

    print("/* Made by tests/auth/make_vectors.py with PyJWT and cryptography. Do not edit. */\n")
    print("/* Each test that includes this uses a part of it. */\n#define UNUSED __attribute__((unused))\n")
    emit("secret", SECRET)
    emit("rsa_public", public_pem(rsa_key))
    emit("rsa_certificate", certificate(rsa_key))
    emit("ec_public", public_pem(ec_key))
    emit("ec_certificate", certificate(ec_key))
    emit("rsa_small", public_pem(rsa.generate_private_key(65537, 1024)))
    emit("ec_p384", public_pem(ec.generate_private_key(ec.SECP384R1())))
    emit("ed25519_public", public_pem(ed25519.Ed25519PrivateKey.generate()))
    emit(
        "rsa_pkcs1",
        rsa_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.PKCS1
        ),
    )

    # RFC 7515, appendices A.1 to A.3: the keys there are JWKs.
    rfc_rsa = rsa.RSAPublicNumbers(
        number("AQAB"),
        number(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Q"
            "lL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBY"
            "UsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNm"
            "oudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
        ),
    ).public_key()
    rfc_ec = ec.EllipticCurvePublicNumbers(
        number("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        number("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
        ec.SECP256R1(),
    ).public_key()
    rfc_body = (
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    )
    rfc_a1 = (
        f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{rfc_body}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    rfc_a2 = (
        f"eyJhbGciOiJSUzI1NiJ9.{rfc_body}."
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds"
        "9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZR"
        "mB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs9"
        "8rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    )
    rfc_a3 = (
        f"eyJhbGciOiJFUzI1NiJ9.{rfc_body}."
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    rfc_secret = base64.urlsafe_b64decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow=="
    )
    for token, key, name in ((rfc_a1, rfc_secret, "HS256"), (rfc_a2, rfc_rsa, "RS256"), (rfc_a3, rfc_ec, "ES256")):
        jwt.decode(token, key, algorithms=[name], options={"verify_exp": False})
    for name, value in (
        ("rfc_secret", rfc_secret),
        ("rfc_rsa", rfc_rsa.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)),
        ("rfc_ec", rfc_ec.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)),
        ("rfc_a1", rfc_a1),
        ("rfc_a2", rfc_a2),
        ("rfc_a3", rfc_a3),
        ("rfc_a5", f"eyJhbGciOiJub25lIn0.{rfc_body}."),
        ("token_hs256", plain),
        ("token_rs256", rs256),
        ("token_es256", es256),
    ):
        emit(name, value)

    der = ec_key.sign(f"{es_head}.{es_body}".encode(), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(der)
    pss = rsa_key.sign(
        f"{rs_head}.{rs_body}".encode(),
        padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size),
        hashes.SHA256(),
    )
    rows = [
        # How the token is built.
        ("FORM", "empty", ""),
        ("FORM", "no dots", "abc"),
        ("FORM", "two parts", f"{head}.{body}"),
        ("FORM", "four parts", f"{plain}.{sig}"),
        ("FORM", "a dot at the end", f"{plain}."),
        ("FORM", "padding", f"{head}.{body}.{sig}="),
        ("FORM", "line break", f"{head}.{body}.{sig}\n"),
        ("FORM", "space", f" {plain}"),
        ("FORM", "standard alphabet", f"{head}.{body}.{sig[:-2]}+/"),
        ("FORM", "stray bits in the signature", crooked(plain)),
        ("FORM", "stray bits in the header", f"{b64('{')[:-1]}x.{body}.{sig}"),
        ("HEADER", "no header", f".{body}.{sig}"),
        ("PAYLOAD", "no payload", f"{head}..{sig}"),
        ("SIGNATURE", "no signature", f"{head}.{body}."),
        ("SIGNATURE", "half a signature", f"{head}.{body}.{b64(b'x' * 16)}"),
        ("SIGNATURE", "another secret", hs256(HEADER, claims(), OTHER_SECRET)),
        ("SIGNATURE", "another payload", f"{head}.{b64(claims(sub='root'))}.{sig}"),
        ("SIGNATURE", "another header", f"{b64({'alg': 'HS256'})}.{body}.{sig}"),
        # The header.
        ("HEADER", "no JSON", hs256("alg", claims())),
        ("HEADER", "an array", hs256(["alg", "HS256"], claims())),
        ("HEADER", "no alg", hs256({"typ": "JWT"}, claims())),
        ("HEADER", "alg is a number", hs256({"alg": 256}, claims())),
        ("HEADER", "alg is null", hs256({"alg": None}, claims())),
        ("HEADER", "alg twice", hs256('{"alg":"none","alg":"HS256"}', claims())),
        ("HEADER", "alg twice, one escaped", hs256('{"alg":"HS256","\\u0061lg":"none"}', claims())),
        ("HEADER", "text after the object", hs256('{"alg":"HS256"}{}', claims())),
        ("HEADER", "byte order mark", hs256(b'\xef\xbb\xbf{"alg":"HS256"}', claims())),
        ("HEADER", "NUL in a string", hs256('{"alg":"HS256\\u0000"}', claims())),
        ("HEADER", "deep", hs256('{"alg":"HS256",' + deep(20)[:-1] + "}", claims())),
        ("CRITICAL", "crit", hs256({"alg": "HS256", "crit": ["b64"], "b64": True}, claims())),
        ("CRITICAL", "crit is null", hs256({"alg": "HS256", "crit": None}, claims())),
        ("TYPE", "typ JOSE", hs256({"alg": "HS256", "typ": "JOSE"}, claims())),
        ("TYPE", "typ of an ID logout", hs256({"alg": "HS256", "typ": "logout+jwt"}, claims())),
        ("TYPE", "typ is a number", hs256({"alg": "HS256", "typ": 1}, claims())),
        ("ALGORITHM", "none", f"{b64({'alg': 'none'})}.{body}."),
        ("ALGORITHM", "None", f"{b64({'alg': 'None'})}.{body}.{sig}"),
        ("ALGORITHM", "hs256", hs256({"alg": "hs256"}, claims())),
        ("ALGORITHM", "HS512", jwt.encode(claims(), SECRET + SECRET, "HS512")),
        ("ALGORITHM", "RS256 for the secret's issuer", rs256),
        ("ALGORITHM", "HS256 with the public key as secret, for RSA's issuer",
         hs256(HEADER, claims(iss="https://rsa.example"), public_pem(rsa_key))),
        ("ALGORITHM", "ES256 for RSA's issuer", jwt.encode(claims(iss="https://rsa.example"), ec_key, "ES256")),
        ("SIGNATURE", "RS256 by another key",
         jwt.encode(claims(iss="https://rsa.example"), rsa.generate_private_key(65537, 2048), "RS256")),
        ("SIGNATURE", "ES256 by another key",
         jwt.encode(claims(iss="https://ec.example"), ec.generate_private_key(ec.SECP256R1()), "ES256")),
        # The payload.
        ("PAYLOAD", "no JSON", hs256(HEADER, "alice")),
        ("PAYLOAD", "an array", hs256(HEADER, [claims()])),
        ("PAYLOAD", "sub twice", hs256(HEADER, json_with('"sub":"root",'))),
        ("PAYLOAD", "a nested member twice", hs256(HEADER, json_with('"x":{"a":1,"a":2},'))),
        ("PAYLOAD", "NUL in a string", hs256(HEADER, json_with('"x":"\\u0000",'))),
        ("PAYLOAD", "no UTF-8", hs256(HEADER, json_with('"x":"?",').replace("?", "\udcff").encode(errors="surrogateescape"))),
        ("PAYLOAD", "a lone surrogate", hs256(HEADER, json_with('"x":"\\ud800",'))),
        ("PAYLOAD", "deep", hs256(HEADER, json_with(deep(1000)))),
        ("PAYLOAD", "exp is infinite", hs256(HEADER, json.dumps(claims(exp=None))[:-1] + ',"exp":1e999}')),
        ("PAYLOAD", "exp is NaN", hs256(HEADER, json.dumps(claims(exp=None))[:-1] + ',"exp":NaN}')),
        ("PAYLOAD", "exp is above 64 bits", hs256(HEADER, claims(exp=2**64))),
        # The claims.
        ("ISSUER", "no iss", hs256(HEADER, claims(iss=None))),
        ("ISSUER", "empty iss", hs256(HEADER, claims(iss=""))),
        ("ISSUER", "another iss", hs256(HEADER, claims(iss="https://issuer.example/"))),
        ("CLAIM", "iss is an array", hs256(HEADER, claims(iss=["https://issuer.example"]))),
        ("CLAIM", "no exp", hs256(HEADER, claims(exp=None))),
        ("CLAIM", "exp is a string", hs256(HEADER, claims(exp=str(NOW + 3600)))),
        ("CLAIM", "exp is null", hs256(HEADER, json.dumps(claims(exp=None))[:-1] + ',"exp":null}')),
        ("CLAIM", "nbf is a string", hs256(HEADER, claims(nbf="0"))),
        ("CLAIM", "iat is true", hs256(HEADER, claims(iat=True))),
        ("CLAIM", "aud is a number", hs256(HEADER, claims(aud=7))),
        ("CLAIM", "aud has a number", hs256(HEADER, claims(aud=["chat", 7]))),
        ("EXPIRED", "exp is now", hs256(HEADER, claims(exp=NOW))),
        ("EXPIRED", "exp is long ago", hs256(HEADER, claims(exp=1))),
        ("EXPIRED", "exp is negative", hs256(HEADER, claims(exp=-(2**62)))),
        ("EARLY", "nbf is later", hs256(HEADER, claims(nbf=NOW + 1))),
        ("EARLY", "nbf is a little later", hs256(HEADER, claims(nbf=NOW + 0.5))),
        ("EARLY", "nbf is at the end of time", hs256(HEADER, claims(nbf=2**62))),
        ("EARLY", "iat is later", hs256(HEADER, claims(iat=NOW + 1))),
        ("AUDIENCE", "no aud", hs256(HEADER, claims(aud=None))),
        ("AUDIENCE", "another aud", hs256(HEADER, claims(aud="chat2"))),
        ("AUDIENCE", "aud in capitals", hs256(HEADER, claims(aud="CHAT"))),
        ("AUDIENCE", "others", hs256(HEADER, claims(aud=["a", "b"]))),
        ("AUDIENCE", "none of none", hs256(HEADER, claims(aud=[]))),
        ("USER", "no sub", hs256(HEADER, claims(sub=None))),
        ("USER", "empty sub", hs256(HEADER, claims(sub=""))),
        ("USER", "sub is a number", hs256(HEADER, claims(sub=7))),
        ("USER", "sub is null", hs256(HEADER, json.dumps(claims(sub=None))[:-1] + ',"sub":null}')),
        ("USER", "sub has a line end", hs256(HEADER, claims(sub="a\nb"))),
        ("USER", "sub has a carriage return", hs256(HEADER, claims(sub="a\r"))),
        ("USER", "sub has DEL", hs256(HEADER, claims(sub="a\x7f"))),
        ("USER", "sub has a C1 character", hs256(HEADER, claims(sub="a\x85b"))),
        ("USER", "sub has the last C1 character", hs256(HEADER, claims(sub="a\x9f"))),
        ("USER", "sub has 257 bytes", hs256(HEADER, claims(sub="x" * 257))),
        ("USER", "sub has 258 bytes in 129 characters", hs256(HEADER, claims(sub="\u00e9" * 129))),
        # Signatures of the other algorithms.
        ("ALGORITHM", "RS256 made with PSS padding, called PS256",
         f"{b64({'alg': 'PS256', 'typ': 'JWT'})}.{rs_body}.{b64(pss)}"),
    ]
    rsa_rows = [
        ("SIGNATURE", "PSS padding", f"{rs_head}.{rs_body}.{b64(pss)}"),
        ("SIGNATURE", "empty", f"{rs_head}.{rs_body}."),
        ("SIGNATURE", "one byte short", f"{rs_head}.{rs_body}.{b64(base64.urlsafe_b64decode(rs_sig + '==')[:-1])}"),
        ("SIGNATURE", "zeros", f"{rs_head}.{rs_body}.{b64(bytes(256))}"),
        ("SIGNATURE", "far too long", f"{rs_head}.{rs_body}.{b64(bytes(512))}"),
    ]
    ec_rows = [
        ("SIGNATURE", "DER", f"{es_head}.{es_body}.{b64(der)}"),
        ("SIGNATURE", "zeros", f"{es_head}.{es_body}.{b64(bytes(64))}"),
        ("SIGNATURE", "all ones", f"{es_head}.{es_body}.{b64(bytes([255]) * 64)}"),
        ("SIGNATURE", "s and r", f"{es_head}.{es_body}.{b64(s.to_bytes(32, 'big') + r.to_bytes(32, 'big'))}"),
        ("SIGNATURE", "63 bytes", f"{es_head}.{es_body}.{b64(base64.urlsafe_b64decode(es_sig + '==')[:-1])}"),
        ("SIGNATURE", "65 bytes", f"{es_head}.{es_body}.{b64(base64.urlsafe_b64decode(es_sig + '==') + bytes(1))}"),
        ("SIGNATURE", "empty", f"{es_head}.{es_body}."),
    ]
    good = [
        ("alice", "plain", hs256(HEADER, claims())),
        ("alice", "no typ", hs256({"alg": "HS256"}, claims())),
        ("alice", "typ jwt", hs256({"alg": "HS256", "typ": "jwt"}, claims())),
        ("alice", "typ AT+JWT", hs256({"alg": "HS256", "typ": "AT+JWT"}, claims())),
        ("alice", "typ with its prefix", hs256({"alg": "HS256", "typ": "application/at+jwt"}, claims())),
        ("alice", "header members of no concern", hs256({"alg": "HS256", "kid": "1", "jku": "http://x"}, claims())),
        ("alice", "no iat", hs256(HEADER, claims(iat=None))),
        ("alice", "nbf now", hs256(HEADER, claims(nbf=NOW))),
        ("alice", "a fraction", hs256(HEADER, claims(iat=NOW - 0.5, nbf=NOW - 0.25))),
        ("alice", "exp as a float", hs256(HEADER, claims(exp=NOW + 3600.0))),
        ("alice", "aud among others", hs256(HEADER, claims(aud=["mail", "chat"]))),
        ("alice", "deep enough", hs256(HEADER, json_with(deep(15)))),
        ("alice", "brackets in a string", hs256(HEADER, json_with('"x":"' + "[" * 100 + '\\"{",'))),
        ("\u00e9 \U0001f600\u00a0", "beyond ASCII", hs256(HEADER, claims(sub="\u00e9 \U0001f600\u00a0"))),
        ("x" * 256, "256 bytes", hs256(HEADER, claims(sub="x" * 256))),
        ("alice", "by RSA", jwt.encode(claims(iss="https://rsa.example"), rsa_key, "RS256")),
        ("alice", "by EC", jwt.encode(claims(iss="https://ec.example"), ec_key, "ES256")),
    ]
    for name, table in (("bad_tokens", rows), ("bad_rs256", rsa_rows), ("bad_es256", ec_rows)):
        print(f"UNUSED static const struct {{\n    enum auth_status status;\n    const char *what;\n    struct slice token;\n}} {name}[] = {{")
        for status, what, token in table:
            print(f'    {{AUTH_ERR_{status}, {c_string(what)},\n    SLICE({c_string(token)})}},')
        print("};\n")
    print("UNUSED static const struct {\n    struct slice user;\n    const char *what;\n    struct slice token;\n} good_tokens[] = {")
    for user, what, token in good:
        print(f'    {{SLICE({c_string(user)}), {c_string(what)},\n    SLICE({c_string(token)})}},')
    print("};")


main()
