// Package resolver compares Boon's fetching of info dictionaries with
// anacrolix/torrent's Client, in one run, on the same swarms. Peers are a process
// of their own; so is each contender, whose CPU time and memory the system
// counts.
//
// Every torrent has four addresses, in an order that a seed gives: two peers
// that answer after 50 ms, one address that refuses connections, one that drops
// what is sent to it. Info dictionaries have 1 to 50 kB. The Client has its
// limits lifted, the handshake that is cheaper for it, no uTP, and a storage that
// does nothing; ours is as it comes, uTP and its bounds included.
//
//	go test ./resolver -v -timeout 30m
package resolver
