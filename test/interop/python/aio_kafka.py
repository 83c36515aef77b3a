"""aiokafka: as kafka_python.py, with the client for asyncio."""
import asyncio
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def produce(bootstrap, topic, compression):
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if compression == "none" else compression,
        enable_idempotence=True,
    )
    await producer.start()
    try:
        sent = []
        for line in sys.stdin.read().splitlines():
            key, value = line.split("=", 1)
            sent.append(await producer.send(topic, key=key.encode(), value=value.encode()))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def consume(bootstrap, topic, group, count):
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        for _ in range(int(count)):
            message = await asyncio.wait_for(consumer.getone(), 60)
            print(f"{message.key.decode()}={message.value.decode()}")
        await consumer.commit()
    finally:
        await consumer.stop()


asyncio.run({"produce": produce, "consume": consume}[sys.argv[1]](*sys.argv[2:]))
