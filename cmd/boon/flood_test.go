package main

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// flood sends a DHT node what a node on the internet gets: 40 sound get_peers,
// 30 packets that are no messages, 20 queries without what they need, 10 replies
// that nobody asked for, and from another address 2,000 pings at once.
func flood(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flood HOST:PORT")
	}
	id := strings.Repeat("i", 20)
	packets := map[string]int{
		"d1:ad2:id20:" + id + "9:info_hash20:%020de1:q9:get_peers1:t2:aa1:y1:qe": 40,
		"rubbish %d": 30,
		"d1:ad2:id19:%019de1:q4:ping1:t2:aa1:y1:qe": 20,
		"d1:rd2:id20:%020de1:t2:aa1:y1:re":          10,
	}
	one, other := dialFrom(ts, "127.71.8.1", args[0]), dialFrom(ts, "127.71.9.1", args[0])
	defer one.Close()
	defer other.Close()
	for format, n := range packets {
		for i := range n {
			ts.Check(write(one, fmt.Sprintf(format, i)))
		}
	}
	for range 2000 {
		ts.Check(write(other, "d1:ad2:id20:"+id+"e1:q4:ping1:t2:aa1:y1:qe"))
	}
}

// awaitNode waits until a DHT node answers.
func awaitNode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: awaitnode HOST:PORT")
	}
	conn := dialFrom(ts, "127.71.7.1", args[0])
	defer conn.Close()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		_ = write(conn, "d1:ad2:id20:"+strings.Repeat("i", 20)+"e1:q4:ping1:t2:aa1:y1:qe") // refused, where nobody listens yet
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		if n, err := conn.Read(make([]byte, 1500)); err == nil && n > 0 {
			return
		}
	}
	ts.Fatalf("%s does not answer", args[0])
}

func dialFrom(ts *testscript.TestScript, from, to string) *net.UDPConn {
	at, err := net.ResolveUDPAddr("udp4", to)
	ts.Check(err)
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(from)}, at)
	ts.Check(err)
	return conn
}

func write(conn *net.UDPConn, packet string) error {
	_, err := conn.Write([]byte(packet))
	return err
}
