package stompgate.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A list that grows by events, and waits for what is to come: never for a time. */
final class Inbox<T> {

    /** Only ends a wait that has failed; generous, for sanitizers on a busy machine. */
    static final long DEADLINE_SECONDS = 20;

    private final String name;
    private final List<T> items = new ArrayList<>();
    private int taken;

    Inbox(String name) {
        this.name = name;
    }

    synchronized void add(T item) {
        items.add(item);
        notifyAll();
    }

    synchronized List<T> all() {
        return List.copyOf(items);
    }

    /** The next one, each once. */
    T next() throws InterruptedException {
        return take(1).get(0);
    }

    synchronized List<T> take(int count) throws InterruptedException {
        await(() -> items.size() >= taken + count, count + " items behind the " + taken + " taken");
        taken += count;
        return List.copyOf(items.subList(taken - count, taken));
    }

    synchronized T find(Predicate<T> predicate, String what) throws InterruptedException {
        await(() -> items.stream().anyMatch(predicate), what);
        return items.stream().filter(predicate).findFirst().orElseThrow();
    }

    private interface Condition {
        boolean holds();
    }

    private void await(Condition condition, String what) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);

        while (!condition.holds()) {
            long leftMs = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (leftMs <= 0) {
                throw new AssertionError(name + ": no " + what + "; " + items.size() + " so far, the last: "
                        + items.subList(Math.max(0, items.size() - 5), items.size()));
            }
            wait(leftMs);
        }
    }
}
