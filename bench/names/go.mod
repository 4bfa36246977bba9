module github.com/boontorrent/boon/bench/names

go 1.26.0

require (
	github.com/MunifTanjim/go-ptt v0.14.1
	github.com/moistari/rls v0.6.0
	golang.org/x/sync v0.15.0 // indirect
	golang.org/x/text v0.26.0 // indirect
)
