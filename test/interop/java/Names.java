import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;

/** Prints the names of the client's configs and methods: a list's name and a name on each line. */
public class Names {
  public static void main(String[] args) {
    print("producer-configs", ProducerConfig.configNames());
    print("consumer-configs", ConsumerConfig.configNames());
    print("admin-configs", AdminClientConfig.configNames());
    print("producer-methods", methodsOf(Producer.class));
    print("consumer-methods", methodsOf(Consumer.class));
    print("admin-methods", methodsOf(Admin.class));
  }

  private static Set<String> methodsOf(Class<?> type) {
    return Arrays.stream(type.getMethods()).map(method -> method.getName()).collect(Collectors.toSet());
  }

  private static void print(String list, Set<String> names) {
    for (String name : new TreeSet<>(names)) System.out.println(list + " " + name);
  }
}
