module github.com/standin-go/standin/examples

go 1.26.0

require github.com/standin-go/standin v0.0.0-00010101000000-000000000000

require (
	github.com/google/go-cmp v0.7.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/standin-go/standin => ..
