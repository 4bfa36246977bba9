"""Sessions of libtorrent on loopback that look up and announce info-hashes.

Reads {"sessions": n, "bootstrap": "ip:port,…", "watch": "ip:port", "infohashes": [hex…], "seconds": n, "atleast": {method: n}}
from standard input, and goes on for so long; up to ten times as long until it has sent so many. Writes a line for every DHT packet that a session says it
sent to the watched address: {"from": "ip:port", "packet": hex}.
"""
import json
import os
import sys
import time

import libtorrent as lt

job = json.load(sys.stdin)
lacking = dict(job["atleast"])
sessions, first = [], 10000 + os.getpid() % 20000  # below the ports that the system gives away
for i in range(job["sessions"]):
    address = "127.0.%d.1" % (150 + i)
    s = lt.session({
        "listen_interfaces": "%s:%d" % (address, first + i),
        "alert_mask": lt.alert.category_t.dht_log_notification,
        "alert_queue_size": 100000,
        "enable_dht": True, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
        "dht_bootstrap_nodes": job["bootstrap"],
        "dht_restrict_routing_ips": False, "dht_restrict_search_ips": False,
        "dht_enforce_node_id": False, "dht_ignore_dark_internet": False,
        "dht_announce_interval": 4, "dht_upload_rate_limit": 1000000,
        "dht_block_ratelimit": 1000000, "allow_multiple_connections_per_ip": True,
    })
    sessions.append((address, first + i, s))

for n, (_, _, s) in enumerate(sessions):
    for k, infohash in enumerate(job["infohashes"]):
        if (k + n) % 2 == 0:
            p = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + infohash)
            p.save_path = "/nonexistent"
            s.add_torrent(p)


def report():
    for address, port, s in sessions:
        for a in s.pop_alerts():
            if type(a).__name__ != "dht_pkt_alert":
                continue
            head = a.message()
            if head.startswith("==>") and ("[" + job["watch"] + "]" in head or job["watch"] + " " in head):
                packet = bytes(a.pkt_buf)
                print(json.dumps({"from": "%s:%d" % (address, port), "packet": packet.hex()}), flush=True)
                for method in lacking:
                    lacking[method] -= b"1:q%d:%s" % (len(method), method.encode()) in packet


began = time.time()
while (passed := time.time() - began) < job["seconds"] or passed < 10 * job["seconds"] and max(lacking.values(), default=0) > 0:
    time.sleep(0.2)
    report()
for _, _, s in sessions:
    s.apply_settings({"enable_dht": False})  # what is sent after the last report would be missing from it
time.sleep(0.5)
report()
