// Command debuggee is what the debugger of the tests looks into.
package main

import "fmt"

func main() {
	for n := range 3 {
		fmt.Println(square(n + 5))
	}
}

func square(n int) int {
	s := n * n
	return s // a breakpoint
}
