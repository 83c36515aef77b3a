import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The Java client: `produce BOOTSTRAP TOPIC COMPRESSION` sends the lines of stdin (key=value), `consume BOOTSTRAP TOPIC
 * GROUP COUNT` reads as many in a group, commits, and prints them as it reads.
 */
public class Exchange {
  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("produce")) produce(arguments[1], arguments[2], arguments[3]);
    else consume(arguments[1], arguments[2], arguments[3], Integer.parseInt(arguments[4]));
  }

  private static void produce(String bootstrap, String topic, String compression) throws Exception {
    Map<String, Object> configs = Map.of("bootstrap.servers", bootstrap, "compression.type", compression);
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(configs, new StringSerializer(), new StringSerializer())) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        int equals = line.indexOf('=');
        sent.add(producer.send(new ProducerRecord<>(topic, line.substring(0, equals), line.substring(equals + 1))));
      }
      for (Future<RecordMetadata> each : sent) each.get();
    }
  }

  private static void consume(String bootstrap, String topic, String group, int count) {
    Map<String, Object> configs = Map.of(
        "bootstrap.servers", bootstrap, "group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", false);
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(configs, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(topic));
      long deadline = System.currentTimeMillis() + 60_000;
      for (int left = count; left > 0 && System.currentTimeMillis() < deadline;) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) {
          System.out.println(record.key() + "=" + record.value());
          left--;
        }
      }
      consumer.commitSync();
    }
  }
}
