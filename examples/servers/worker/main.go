// Command worker takes jobs from a queue, an HTTP server, and tells it what has
// become of them, until it is told to end.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	queue := os.Getenv("QUEUE_URL")
	fmt.Println("waiting for jobs")
	for ctx.Err() == nil {
		if err := work(queue); err != nil {
			log.Print(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	fmt.Println("told to end")
}

// work does one job, if there is one.
func work(queue string) error {
	response, err := http.Post(queue+"/take", "", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNoContent {
		return nil
	}
	job, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	done, err := http.Post(queue+"/done", "text/plain", strings.NewReader(strings.ToUpper(string(job))))
	if err != nil {
		return err
	}
	return done.Body.Close()
}
