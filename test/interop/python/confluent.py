"""confluent-kafka, which is librdkafka: as kafka_python.py."""
import sys

from confluent_kafka import Consumer, Producer


def produce(bootstrap, topic, compression):
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": compression,
            "enable.idempotence": True,
        }
    )
    failed = []

    def delivered(error, _message):
        if error is not None:
            failed.append(error)

    for line in sys.stdin.read().splitlines():
        key, value = line.split("=", 1)
        producer.produce(topic, key=key.encode(), value=value.encode(), on_delivery=delivered)
        producer.poll(0)
    if producer.flush(60) > 0 or failed:
        raise SystemExit(f"not delivered: {failed}")


def consume(bootstrap, topic, group, count):
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    for _ in range(int(count)):
        message = consumer.poll(60)
        if message is None or message.error():
            raise SystemExit(f"no message: {message and message.error()}")
        print(f"{message.key().decode()}={message.value().decode()}")
    consumer.commit(asynchronous=False)
    consumer.close()


{"produce": produce, "consume": consume}[sys.argv[1]](*sys.argv[2:])
