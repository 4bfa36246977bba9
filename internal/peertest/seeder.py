"""Sessions of libtorrent on loopback that seed torrents of every version.

Reads {"dir": folder, "bootstrap": "ip:port,…" or "" for no DHT, "sessions": [{"address": ip, "utp": bool, "encrypted": bool}, …]} from standard input. Makes files
in the folder, and a torrent of them of version 1, of version 2 and of both, and writes one line once all are seeded:
{"torrents": [{"version", "infohash", "torrent", "name", "files": [{"path", "length", "pad"}]}, …], "ports": [port, …]}.
Goes on until its input ends.
"""
import json
import os
import random
import select
import sys
import time

import libtorrent as lt

job = json.loads(sys.stdin.readline())
FILES = {"a/film.mkv": 300000, "a/film.srt": 1200, "b/ünïcode 名.txt": 70000, "b/empty": 0, "z": 16384}


def make(version, flags):
    root = os.path.join(job["dir"], "torrent " + version)
    content = random.Random(version)
    for path, size in FILES.items():
        path = os.path.join(root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content.randbytes(size))
    storage = lt.file_storage()
    lt.add_files(storage, root)
    creator = lt.create_torrent(storage, 16384, flags)
    lt.set_piece_hashes(creator, job["dir"])
    made = lt.bencode(creator.generate())
    path = os.path.join(job["dir"], version + ".torrent")
    with open(path, "wb") as f:
        f.write(made)
    info = lt.torrent_info(path)
    hashes = info.info_hashes()
    infohash = hashes.v1 if hashes.has_v1() else hashes.v2
    files = info.files()
    told = []
    for i in range(files.num_files()):
        told.append({
            "path": files.file_path(i), "length": files.file_size(i),
            "pad": bool(files.file_flags(i) & lt.file_flags_t.flag_pad_file),
        })
    return {
        "version": version, "infohash": str(infohash)[:40], "torrent": path, "name": info.name(), "files": told,
        "infohash_v2": str(hashes.v2) if hashes.has_v2() else "",
    }


torrents = [make("v1", lt.create_torrent.v1_only), make("v2", lt.create_torrent.v2_only), make("hybrid", 0)]
sessions, seeding, ports = [], [], []
for want in job["sessions"]:
    policy = lt.enc_policy.pe_forced if want["encrypted"] else lt.enc_policy.pe_disabled
    s = lt.session({
        "listen_interfaces": want["address"] + ":0",
        "enable_dht": bool(job["bootstrap"]), "dht_bootstrap_nodes": job["bootstrap"], "dht_announce_interval": 4,
        "dht_restrict_routing_ips": False, "dht_restrict_search_ips": False, "dht_enforce_node_id": False,
        "dht_ignore_dark_internet": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
        "enable_incoming_tcp": not want["utp"], "enable_incoming_utp": want["utp"],
        "in_enc_policy": int(policy), "out_enc_policy": int(policy), "allowed_enc_level": int(lt.enc_level.pe_rc4),
        "allow_multiple_connections_per_ip": True,
    })
    sessions.append(s)
    for t in torrents:
        p = lt.add_torrent_params()
        p.ti = lt.torrent_info(t["torrent"])
        p.save_path = job["dir"]
        seeding.append(s.add_torrent(p))

end = time.time() + 60
while not all(h.status().is_seeding for h in seeding) or not all(s.listen_port() for s in sessions):
    if time.time() > end:
        sys.exit("the torrents are not seeded: " + str([str(h.status().state) + h.status().errc.message() for h in seeding]))
    time.sleep(0.05)
print(json.dumps({"torrents": torrents, "ports": [s.listen_port() for s in sessions]}), flush=True)
while not select.select([sys.stdin], [], [], 2)[0]:
    if job["bootstrap"]:  # libtorrent alone takes its time, the more so where its first lookup found nobody
        for h in seeding:
            h.force_dht_announce()
