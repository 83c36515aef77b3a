"""kafka-python: `produce BOOTSTRAP TOPIC COMPRESSION` sends the lines of stdin (key=value), `consume BOOTSTRAP TOPIC
GROUP COUNT` reads as many in a group, commits, and prints them as it reads."""
import sys

from kafka import KafkaConsumer, KafkaProducer


def produce(bootstrap, topic, compression):
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if compression == "none" else compression,
        acks="all",
    )
    sent = []
    for line in sys.stdin.read().splitlines():
        key, value = line.split("=", 1)
        sent.append(producer.send(topic, key=key.encode(), value=value.encode()))
    for each in sent:
        each.get(timeout=30)
    producer.close()


def consume(bootstrap, topic, group, count):
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=60_000,
    )
    left = int(count)
    for message in consumer:
        print(f"{message.key.decode()}={message.value.decode()}")
        left -= 1
        if left == 0:
            break
    consumer.commit()
    consumer.close()


{"produce": produce, "consume": consume}[sys.argv[1]](*sys.argv[2:])
