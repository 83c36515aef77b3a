import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The Java client: `transform BOOTSTRAP IN OUT GROUP COUNT` reads as many committed records and writes each of them anew,
 * with the offsets in the same transactions; of these every other one is aborted, and begun again.
 */
public class Transform {
  public static void main(String[] arguments) {
    String bootstrap = arguments[1];
    String out = arguments[3];
    int count = Integer.parseInt(arguments[5]);
    Map<String, Object> reading = Map.of(
        "bootstrap.servers", bootstrap, "group.id", arguments[4], "auto.offset.reset", "earliest",
        "enable.auto.commit", false, "isolation.level", "read_committed", "max.poll.records", 17);
    Map<String, Object> writing = Map.of("bootstrap.servers", bootstrap, "transactional.id", "java");
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(reading, new StringDeserializer(), new StringDeserializer());
        KafkaProducer<String, String> producer = new KafkaProducer<>(writing, new StringSerializer(), new StringSerializer())) {
      producer.initTransactions();
      consumer.subscribe(List.of(arguments[2]));
      boolean isAborted = true;
      long deadline = System.currentTimeMillis() + 60_000;
      for (int done = 0; done < count && System.currentTimeMillis() < deadline;) {
        ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(500));
        if (records.isEmpty()) continue;
        producer.beginTransaction();
        Map<TopicPartition, OffsetAndMetadata> first = new HashMap<>();
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        for (ConsumerRecord<String, String> record : records) {
          producer.send(new ProducerRecord<>(out, record.key(), record.value()));
          TopicPartition partition = new TopicPartition(record.topic(), record.partition());
          first.putIfAbsent(partition, new OffsetAndMetadata(record.offset()));
          next.put(partition, new OffsetAndMetadata(record.offset() + 1));
        }
        producer.sendOffsetsToTransaction(next, consumer.groupMetadata());
        if (isAborted) {
          // What was never sent would leave nothing to be seen by mistake.
          producer.flush();
          producer.abortTransaction();
          first.forEach(consumer::seek);
        } else {
          producer.commitTransaction();
          done += records.count();
        }
        isAborted = !isAborted;
      }
    }
  }
}
