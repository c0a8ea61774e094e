package shop;

import java.util.Map;

/** Adds up a ledger. Lambda takes a plain class; it needs none of AWS's libraries. */
public class Ledger {
    public Map<String, Integer> handle(Map<String, Integer> entries) {
        return Map.of("balance", entries.values().stream().mapToInt(Integer::intValue).sum());
    }
}
