"""confluent-kafka, which is librdkafka: as kafka_python.py."""
import sys

from confluent_kafka import Consumer, Producer, TopicPartition


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


def transform(bootstrap, source, target, group, count):
    """Writes what it reads anew, offsets and all, in transactions of which every other one is aborted and begun again."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": "librdkafka"})
    producer.init_transactions(60)
    consumer.subscribe([source])
    done = 0
    is_aborted = True
    while done < int(count):
        messages = consumer.consume(17, 1)
        if not messages:
            continue
        first, following = {}, {}
        producer.begin_transaction()
        for message in messages:
            if message.error():
                raise SystemExit(f"no message: {message.error()}")
            producer.produce(target, key=message.key(), value=message.value())
            place = (message.topic(), message.partition())
            first.setdefault(place, message.offset())
            following[place] = message.offset() + 1
        offsets = [TopicPartition(*place, offset) for place, offset in following.items()]
        producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), 60)
        if is_aborted:
            # What was never sent would leave nothing to be seen by mistake.
            producer.flush(60)
            producer.abort_transaction(60)
            for place, offset in first.items():
                consumer.seek(TopicPartition(*place, offset))
        else:
            producer.commit_transaction(60)
            done += len(messages)
        is_aborted = not is_aborted
    consumer.close()


{"produce": produce, "consume": consume, "transform": transform}[sys.argv[1]](*sys.argv[2:])
