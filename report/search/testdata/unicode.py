#!/usr/bin/env python3
"""Writes what both tokenisers share, from Python's own Unicode tables.

    python3 report/search/testdata/unicode.py

makes report/search/classes.go, report/web/js/search/classes.js (the frozen table
of character classes), report/search/testdata/vectors.json (texts with the terms that
a tokeniser must find in them) and characters.sha256 (of what each character becomes). Python is neither of the two tokenisers: the
vectors come from the rules in the package comment, written down a third time.
Made with Unicode 14.0; later characters are separators until the table is made
anew, which changes terms, so the format's number has to change with it.
"""

import hashlib
import json
import pathlib
import random
import sys
import unicodedata

HERE = pathlib.Path(__file__).resolve().parent
SEPARATOR, WORD, MARK, IDEOGRAPH, NOTHING = "SWMIN"
LONGEST = 32


def is_ideograph(c):
    name = unicodedata.name(chr(c), "")
    return (
        name.startswith(("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA LETTER", "KATAKANA LETTER"))
        or name.startswith(("HALFWIDTH KATAKANA LETTER", "HIRAGANA DIGRAPH", "KATAKANA DIGRAPH"))
        or c in (0x3005, 0x3006, 0x3007, 0x303B, 0x309D, 0x309E, 0x30FC, 0x30FD, 0x30FE, 0xFF70)
    )


def class_of(c):
    category = unicodedata.category(chr(c))
    if c in (9, 10, 11, 12, 13, 0x85):
        return SEPARATOR
    if category in ("Cc", "Cf"):
        return NOTHING
    if category[0] == "M":
        return MARK
    if category[0] in "LN":
        return IDEOGRAPH if is_ideograph(c) else WORD
    return SEPARATOR


def runs():
    out, last, length = [], None, 0
    for c in range(0x80, 0x110000):
        k = class_of(c)
        if k != last and last is not None:
            out.append((length, last))
            length = 0
        last = k
        length += 1
    return out  # the last run, of separators, is left out


def base36(n):
    digits = ""
    while n:
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36] + digits
        n //= 36
    return digits


def table():
    return "".join(base36(n) + k for n, k in runs())


def units(text):
    """[(text, is ideograph, follows another ideograph at once)]"""
    out, word, touching = [], "", False
    for original in text:
        if class_of(ord(original)) == SEPARATOR:
            decomposed = " "
        else:
            decomposed = unicodedata.normalize("NFKD", original)
        for d in decomposed:
            for low in d.lower():
                low = "σ" if low == "ς" else low
                k = class_of(ord(low))
                if k in (MARK, NOTHING):
                    continue
                if k == WORD:
                    word += low
                    touching = False
                    continue
                if word:
                    out.append((word[:LONGEST], False, False))
                    word = ""
                if k == IDEOGRAPH:
                    out.append((low, True, touching))
                touching = k == IDEOGRAPH
    if word:
        out.append((word[:LONGEST], False, False))
    return out


def index_terms(text):
    u = units(text)
    terms = set()
    for i, (t, ideograph, _) in enumerate(u):
        if not ideograph:
            terms.add(t)
        elif i + 1 < len(u) and u[i + 1][2]:
            terms.add(t + u[i + 1][0])
        else:
            terms.add(t)
    return sorted(terms, key=lambda t: t.encode())


HAND = """The.Walking.Dead.S05E03.1080p.WEB-DL.DD5.1.H.264-GRP|Amélie (2001) [1080p]|AMÉLIE|Ame\u0301lie|進撃の巨人 第01話|猫
千と千尋の神隠し.2001|ガンダム|か\u3099んだむ|ﾊﾝｶｸ ｶﾞﾝﾀﾞﾑ|Ｆｕｌｌ　Ｗｉｄｔｈ １２３|Война и мир|Ёлки|Тётя|ΟΔΟΣ οδος Οδός|İstanbul ISTANBUL ıstanbul
Straße STRASSE ẞ|ﬁn ﬂow|Ⅷ. Part ½ x² H₂O ①②|™ © ® ℃ ㎏|한국어 영화|한글|तूफ़ान हिन्दी|العربية اَلْعَرَبِيَّةُ|עִבְרִית|ภาษาไทย|Tiếng Việt
don't stop|rock'n'roll|C++ C# .NET|a_b_c|foo\u200bbar|foo\u202ebar\u202c baz|\u200fשלום|\ufefffoo|soft\u00adhyphen|tab\tnew\nline|nul\x00in|\x1b[31mred
<script>alert(1)</script>|"><img src=x onerror=alert(1)>|__proto__ constructor toString|😀 film 🎬 2020|👨‍👩‍👧 family|🇩🇪 flag|𝐁𝐨𝐥𝐝 𝒮𝒸𝓇𝒾𝓅𝓉|𠀀𠀁 ext b|= + - @ cmd
!!!|...|   |—–‒|「日本」『映画』|日本 映画|日本x映画|x日y|々〆〇|ー|Café.del.Mar|naïve façade|Ångström Å Å|Ω Ω|ſtrange|Ŀlull|ŉ|ǅ ǆ|ﷺ|㍿|㋿|ｱｲｳ
s01e02|2160p|x265|5.1|10bit|H.265|DTS-HD.MA|[Group] Name - 01 (1080p) [ABCD1234].mkv|ᾳ ᾼ ῼ|Ǆ|ꭰ Ꭰ|Ა ა|𐐀 𐐨|ȷ|\u0345|e\u0301\u0302\u0303\u0304|\u0301a""".replace("\n", "|").split("|")

PIECES = ["the", "Matrix", "1080p", "x264", "Über", "É", "ñ", "日本語", "進撃", "の", "カ", "ー", "ひ", "한국", "мир", "Ж", "ß", "Σ", "ς", "ف", "ש", "ก", "\u0301", "\u3099",
          "\u200b", "\u200d", "\u202e", "\ufeff", " ", ".", "-", "_", "(", ")", "[", "]", "'", "🎬", "𝟙", "ﬀ", "Ⅻ", "①", "½", "㎏", "™", "\x00", "\t", "\n", "\U00020000", "Ａ", "ａ",
          "\u0345", "İ", "ı", "ẞ", "\u1E9B\u0323", "ﾊ", "ﾞ", "々", "〇", "１", "²", "ª", "ǅ", "\uD7A3", "\u1100\u1161\u11a8"]


def vectors():
    texts = list(HAND)
    texts += ["word" * 300, "長" * 60, "a" * 33 + " " + "b" * 32, "é" * 40, "x" * 31 + "é\u0301y"]
    r = random.Random(8)
    while len(texts) < 560:
        texts.append("".join(r.choice(PIECES) for _ in range(r.randint(1, 14))))
    rare = [c for c in range(0x80, 0x20000) if class_of(c) in (WORD, IDEOGRAPH, MARK, NOTHING)]
    while len(texts) < 760:
        texts.append("".join(chr(r.choice(rare)) if r.random() < 0.7 else r.choice(" .aZ") for _ in range(r.randint(1, 12))))
    return [{"text": t, "units": ["".join(("+" if joined else "=") if ideo else "") + u for u, ideo, joined in units(t)], "terms": index_terms(t)} for t in texts]


def characters():
    """A digest of what becomes of every character alone."""
    digest = hashlib.sha256()
    for c in range(0x20000):
        if not 0xD800 <= c < 0xE000:
            digest.update((",".join(u for u, _, _ in units(chr(c))) + "\n").encode())
    return digest.hexdigest()


def main():
    if not unicodedata.unidata_version.startswith("14."):
        sys.exit(f"this Python has Unicode {unicodedata.unidata_version}; the table is frozen at 14.0 (Python 3.11)")
    classes = table()
    lines = [classes[i : i + 160] for i in range(0, len(classes), 160)]
    go = "// Code generated by testdata/unicode.py. DO NOT EDIT.\n\npackage search\n\n// classRuns is the frozen table of character classes from U+0080: lengths of runs in\n// base 36, each with its class.\nconst classRuns = \"\" +\n\t"
    go += " +\n\t".join(json.dumps(line) for line in lines) + "\n"
    (HERE.parent / "classes.go").write_text(go)
    js = "// Made by report/search/testdata/unicode.py; do not edit. The frozen table of character\n// classes from U+0080: lengths of runs in base 36, each with its class.\nexport const classRuns =\n  "
    js += " +\n  ".join(json.dumps(line) for line in lines) + ";\n"
    (HERE.parent.parent / "web/js/search/classes.js").write_text(js)
    (HERE / "characters.sha256").write_text(characters() + "\n")
    with open(HERE / "vectors.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(v) for v in vectors()) + "\n]\n")


main()
