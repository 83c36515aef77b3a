// franz-go: `produce BOOTSTRAP TOPIC COMPRESSION` sends the lines of stdin (key=value), `consume BOOTSTRAP TOPIC GROUP
// COUNT` reads as many in a group, commits, and prints them as it reads.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if os.Args[1] == "produce" {
		produce(ctx, os.Args[2], os.Args[3], os.Args[4])
	} else {
		count, err := strconv.Atoi(os.Args[5])
		check(err)
		consume(ctx, os.Args[2], os.Args[3], os.Args[4], count)
	}
}

func produce(ctx context.Context, bootstrap, topic, compression string) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ProducerBatchCompression(codecs[compression]))
	check(err)
	defer client.Close()
	var records []*kgo.Record
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		key, value, _ := strings.Cut(in.Text(), "=")
		records = append(records, &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(value)})
	}
	check(client.ProduceSync(ctx, records...).FirstErr())
}

func consume(ctx context.Context, bootstrap, topic, group string, count int) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	check(err)
	defer client.Close()
	for left := count; left > 0; {
		fetches := client.PollFetches(ctx)
		check(fetches.Err())
		fetches.EachRecord(func(record *kgo.Record) {
			fmt.Printf("%s=%s\n", record.Key, record.Value)
			left--
		})
	}
	check(client.CommitUncommittedOffsets(ctx))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
