"""Read release names with guessit and answer in the form that etl/release/eval scores.

usage: guess.py < NAMES        (pip install -r requirements.txt)

How fast guessit was goes to standard error; only parsing is timed.
"""
import json
import sys
import time

from guessit import guessit

SOURCES = {
    "Blu-ray": "bluray", "Ultra HD Blu-ray": "bluray", "Web": "web", "Video on Demand": "web", "HDTV": "tv", "TV": "tv", "Digital TV": "tv",
    "Satellite": "tv", "Ultra HDTV": "tv", "Analog HDTV": "tv", "DVD": "dvd", "HD-DVD": "hddvd", "Camera": "cam", "HD Camera": "cam",
    "Telesync": "telesync", "HD Telesync": "telesync", "Telecine": "telecine", "HD Telecine": "telecine", "Workprint": "workprint",
    "VHS": "vhs", "Pay-per-view": "ppv", "Digital Master": "master",
}
CODECS = {"H.264": "h264", "H.265": "h265", "Xvid": "xvid", "DivX": "divx", "AV1": "av1", "VC-1": "vc1", "MPEG-2": "mpeg2", "VP9": "vp9"}


def many(v):
    return [] if v is None else v if isinstance(v, list) else [v]


def read(name):
    g = guessit(name)
    first = lambda key: (many(g.get(key)) or [None])[0]
    size = first("screen_size")
    year = first("year") or (g["date"].year if "date" in g and not isinstance(g["date"], list) else None)
    return {
        "title": first("title"), "alt_title": first("alternative_title"), "year": year,
        "seasons": [n for n in many(g.get("season")) if isinstance(n, int)], "episodes": [n for n in many(g.get("episode")) if isinstance(n, int)],
        "resolution": int("".join(c for c in size if c.isdigit())) if size and size[-1] in "pi" else None,
        "source": SOURCES.get(first("source")), "video_codec": CODECS.get(first("video_codec")), "release_group": first("release_group"),
    }


def main():
    names = sys.stdin.buffer.read().decode("utf-8", "replace").split("\n")[:-1]
    guessit("warm up")
    start = time.perf_counter()
    answers = [read(name) for name in names]
    took = time.perf_counter() - start
    print(f"guessit: {len(names)} names, {len(names) / took:.0f} a second", file=sys.stderr)
    for answer in answers:
        print(json.dumps(answer, ensure_ascii=False, default=str))


if __name__ == "__main__":
    main()
