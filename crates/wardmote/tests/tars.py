"""Archives as Python's tarfile writes and reads them, one JSON object a line: the archive, and the files in it, or that it is
to be refused. Argument: a seed."""
import base64
import io
import json
import random
import sys
import tarfile

chance = random.Random(int(sys.argv[1]))
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT}


def archive(entries, format):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for name, sort, content in entries:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.mtime = sort, len(content), chance.choice([0, 1.5, 1700000000])
            if sort in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = "a"
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def tell(format, data, refused=False):
    files = {}
    if not refused:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for one in tar.getmembers():
                if one.isfile():
                    name = one.name[2:] if one.name.startswith("./") else one.name
                    files[name] = base64.b64encode(tar.extractfile(one).read()).decode()
    print(json.dumps({"format": format, "tar": base64.b64encode(data).decode(), "files": None if refused else files}))


def name(format, at):
    parts = [chance.choice(["data", "model", "x" * 60, "a b"] + (["gr\u00fc\u00dfe", "\u6a21\u578b"] if format != "ustar" else []))
             for _ in range(chance.randint(0, 3))]
    last = f"{at}-" + "n" * chance.choice([1, 30, 90])
    if format != "ustar" and chance.random() < 0.3:
        last += "l" * 120
    return chance.choice(["", "./"]) + "/".join([*parts, last])


for format, number in FORMATS.items():
    for _ in range(12):
        entries = [(".", tarfile.DIRTYPE, b"")] if chance.random() < 0.5 else []
        for at in range(chance.randint(0, 6)):
            size = chance.choice([0, 1, 511, 512, 513, chance.randint(0, 20000)])
            entries.append((name(format, at), tarfile.REGTYPE, chance.randbytes(size)))
            if chance.random() < 0.3:
                entries.append((f"folder-{at}", tarfile.DIRTYPE, b""))
        tell(format, archive(entries, number))
    good = [("a", tarfile.REGTYPE, b"1"), ("b/c", tarfile.REGTYPE, b"2" * 600)]
    for wrong in [
        ("/etc/passwd", tarfile.REGTYPE, b"x"), ("../x", tarfile.REGTYPE, b"x"), ("b/../../x", tarfile.REGTYPE, b"x"),
        ("a", tarfile.REGTYPE, b"again"), ("a/below", tarfile.REGTYPE, b"x"), ("b", tarfile.REGTYPE, b"x"),
        ("s", tarfile.SYMTYPE, b""), ("h", tarfile.LNKTYPE, b""), ("f", tarfile.FIFOTYPE, b""), ("d", tarfile.CHRTYPE, b""),
        ("b", tarfile.BLKTYPE, b""), ("c\\d", tarfile.REGTYPE, b"x"), ("e\nf", tarfile.REGTYPE, b"x"),
    ]:
        tell(format, archive([*good, wrong], number), refused=True)
    whole = archive(good, number)
    tell(format, whole[:-9000] if len(whole) > 9500 else whole[:1000], refused=True)
    tell(format, whole[:100] + bytes([whole[100] ^ 1]) + whole[101:], refused=True)
    tell(format, whole + whole, refused=True)
