// kfake on the port that is given, until it is told to stop.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

func main() {
	port, err := strconv.Atoi(os.Args[1])
	if err == nil {
		var cluster *kfake.Cluster
		if cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port)); err == nil {
			defer cluster.Close()
			stop := make(chan os.Signal, 1)
			signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
			<-stop
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
