// franz-go: `produce BOOTSTRAP TOPIC COMPRESSION` sends the lines of stdin (key=value), `consume BOOTSTRAP TOPIC GROUP
// COUNT` reads as many in a group, commits, and prints them as it reads; `transform BOOTSTRAP IN OUT GROUP COUNT` writes
// what it reads anew, offsets and all, in transactions of which every other one is aborted and begun again.
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
	} else if os.Args[1] == "transform" {
		count, err := strconv.Atoi(os.Args[6])
		check(err)
		transform(ctx, os.Args[2], os.Args[3], os.Args[4], os.Args[5], count)
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

func transform(ctx context.Context, bootstrap, in, out, group string, count int) {
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(in), kgo.ConsumerGroup(group), kgo.TransactionalID("franz-go"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	check(err)
	defer session.Close()
	isAborted := true
	for done := 0; done < count; {
		fetches := session.PollRecords(ctx, 17)
		check(fetches.Err())
		check(session.Begin())
		fetches.EachRecord(func(record *kgo.Record) {
			session.Produce(ctx, &kgo.Record{Topic: out, Key: record.Key, Value: record.Value}, nil)
		})
		// What was never sent would leave nothing to be seen by mistake.
		check(session.Client().Flush(ctx))
		committed, err := session.End(ctx, kgo.TransactionEndTry(!isAborted))
		check(err)
		if committed {
			done += fetches.NumRecords()
		}
		isAborted = !isAborted
	}
}
