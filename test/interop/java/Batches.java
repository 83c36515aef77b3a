import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * The reference side of the record format. `read`: one batch a line on stdin ("name base64"), one JSON object a line
 * on stdout that says what the Java client finds in it. `write SEED COUNT`: random batches as the Java client writes
 * them, a line each: the same JSON, with the batch itself in it.
 */
public class Batches {
  public static void main(String[] arguments) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    if (arguments[0].equals("read")) {
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        int space = line.indexOf(' ');
        byte[] bytes = Base64.getDecoder().decode(line.substring(space + 1));
        String found;
        try {
          found = describe(line.substring(0, space), bytes);
        } catch (RuntimeException refusal) {
          found = "{" + text("name") + ":" + text(line.substring(0, space)) + "," + text("refused") + ":" + text(String.valueOf(refusal)) + "}";
        }
        out.println(found);
      }
    } else {
      Random random = new Random(Long.parseLong(arguments[1]));
      int count = Integer.parseInt(arguments[2]);
      for (int index = 0; index < count; index++) out.println(describe("java-" + index, randomBatch(random, index)));
      for (ControlRecordType type : List.of(ControlRecordType.COMMIT, ControlRecordType.ABORT)) {
        MemoryRecords marker = MemoryRecords.withEndTransactionMarker(
            7, 1_700_000_000_000L, 3, 4711, (short) 9, new EndTransactionMarker(type, 42));
        out.println(describe("java-" + type.name().toLowerCase(), bytesOf(marker.buffer())));
      }
    }
    out.flush();
  }

  /** Everything is drawn in a fixed order, so that a seed names the batches. */
  private static byte[] randomBatch(Random random, int index) {
    CompressionType[] types = CompressionType.values();
    Compression compression = Compression.of(types[index % types.length]).build();
    boolean appendTime = random.nextInt(4) == 0;
    boolean idempotent = random.nextBoolean();
    boolean transactional = idempotent && random.nextBoolean();
    long baseOffset = random.nextInt(3) == 0 ? 0 : random.nextLong() & 0xfffffffffL;
    long timestamp = 1_700_000_000_000L + random.nextInt(1_000_000_000);
    long producerId = idempotent ? random.nextLong() & 0xfffffffL : RecordBatch.NO_PRODUCER_ID;
    short epoch = idempotent ? (short) random.nextInt(Short.MAX_VALUE) : RecordBatch.NO_PRODUCER_EPOCH;
    int sequence = !idempotent ? RecordBatch.NO_SEQUENCE
        : random.nextInt(4) == 0 ? Integer.MAX_VALUE - 2 : random.nextInt(1_000_000);
    MemoryRecordsBuilder builder = MemoryRecords.builder(
        ByteBuffer.allocate(1024), RecordBatch.MAGIC_VALUE_V2, compression,
        appendTime ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME, baseOffset,
        appendTime ? timestamp : RecordBatch.NO_TIMESTAMP,
        producerId, epoch, sequence, transactional, random.nextInt(1000));
    int records = 1 + random.nextInt(random.nextInt(5) == 0 ? 300 : 8);
    for (int record = 0; record < records; record++) {
      Header[] headers = new Header[random.nextInt(4)];
      for (int at = 0; at < headers.length; at++) {
        headers[at] = new RecordHeader("h\u00e4\ud83c\udf0d".substring(0, random.nextInt(3)) + at, randomBytes(random, 20));
      }
      // Time runs both ways: deltas may be negative.
      builder.append(timestamp + random.nextInt(100_000) - 50_000, randomBytes(random, 30), randomBytes(random, 200), headers);
    }
    return bytesOf(builder.build().buffer());
  }

  private static byte[] randomBytes(Random random, int limit) {
    int size = random.nextInt(limit + 2) - 1;
    if (size < 0) return null;
    byte[] bytes = new byte[size];
    if (random.nextBoolean()) random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] bytesOf(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  private static String describe(String name, byte[] bytes) {
    List<String> fields = new ArrayList<>();
    int batches = 0;
    for (MutableRecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches()) {
      batches++;
      batch.ensureValid();
      field(fields, "name", text(name));
      field(fields, "batch", text(Base64.getEncoder().encodeToString(bytes)));
      field(fields, "sizeBytes", String.valueOf(batch.sizeInBytes()));
      field(fields, "baseOffset", String.valueOf(batch.baseOffset()));
      field(fields, "lastOffset", String.valueOf(batch.lastOffset()));
      field(fields, "partitionLeaderEpoch", String.valueOf(batch.partitionLeaderEpoch()));
      field(fields, "compression", text(batch.compressionType().name));
      field(fields, "timestampType", text(batch.timestampType().name));
      field(fields, "baseTimestamp", String.valueOf(((DefaultRecordBatch) batch).baseTimestamp()));
      field(fields, "maxTimestamp", String.valueOf(batch.maxTimestamp()));
      field(fields, "producerId", String.valueOf(batch.producerId()));
      field(fields, "producerEpoch", String.valueOf(batch.producerEpoch()));
      field(fields, "baseSequence", String.valueOf(batch.baseSequence()));
      field(fields, "lastSequence", String.valueOf(batch.lastSequence()));
      field(fields, "isTransactional", String.valueOf(batch.isTransactional()));
      field(fields, "isControl", String.valueOf(batch.isControlBatch()));
      field(fields, "crc", String.valueOf(batch.checksum()));
      field(fields, "recordCount", String.valueOf(batch.countOrNull()));
      List<String> records = new ArrayList<>();
      for (Record record : batch) records.add(describe(record));
      field(fields, "records", "[" + String.join(",", records) + "]");
    }
    if (batches != 1) throw new IllegalStateException("one batch expected, found " + batches);
    return "{" + String.join(",", fields) + "}";
  }

  private static String describe(Record record) {
    List<String> fields = new ArrayList<>();
    field(fields, "offset", String.valueOf(record.offset()));
    field(fields, "timestamp", String.valueOf(record.timestamp()));
    field(fields, "key", bytes(record.key()));
    field(fields, "value", bytes(record.value()));
    List<String> headers = new ArrayList<>();
    for (Header header : record.headers()) {
      byte[] value = header.value();
      headers.add("[" + text(header.key()) + "," + bytes(value == null ? null : ByteBuffer.wrap(value)) + "]");
    }
    field(fields, "headers", "[" + String.join(",", headers) + "]");
    return "{" + String.join(",", fields) + "}";
  }

  private static void field(List<String> fields, String name, String value) {
    fields.add(text(name) + ":" + value);
  }

  private static String bytes(ByteBuffer buffer) {
    return buffer == null ? "null" : text(Base64.getEncoder().encodeToString(bytesOf(buffer)));
  }

  private static String text(String value) {
    StringBuilder json = new StringBuilder("\"");
    for (char c : value.toCharArray()) {
      if (c == '"' || c == '\\') json.append('\\').append(c);
      else if (c < 0x20 || c > 0x7e) json.append(String.format("\\u%04x", (int) c));
      else json.append(c);
    }
    return json.append('"').toString();
  }
}
