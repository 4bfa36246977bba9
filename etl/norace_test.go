//go:build !race

package etl_test

const raced = false
