// Command files serves the working folder on the address that is its argument.
package main

import (
	"log"
	"net/http"
	"os"
)

func main() { log.Fatal(http.ListenAndServe(os.Args[1], http.FileServer(http.Dir(".")))) }
