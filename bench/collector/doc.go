// Package collector compares Boon's collector with a bare anacrolix/dht server
// that logs nothing, on the same packets, in one run. Each is a process of its
// own, whose CPU time the system counts; the packets come from this process,
// over loopback.
//
//	go test ./collector -v -seconds 10
package collector
