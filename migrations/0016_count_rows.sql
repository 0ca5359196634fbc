CREATE TABLE `usage_counts` (
	`owner_id` text NOT NULL,
	`kind` text NOT NULL,
	`row_count` integer NOT NULL,
	`byte_count` integer NOT NULL,
	PRIMARY KEY(`owner_id`, `kind`)
);
--> statement-breakpoint
CREATE INDEX `usage_counts_largest` ON `usage_counts` (`kind`,`row_count`);
--> statement-breakpoint
-- Counted in the transaction of each change (worker/db/usage-counts.ts).
INSERT INTO usage_counts (owner_id, kind, row_count, byte_count)
  SELECT coalesce(company_id, user_id), 'idempotency_keys', count(*), coalesce(sum(length(answer)), 0) FROM idempotency_keys GROUP BY 1;
--> statement-breakpoint
INSERT INTO usage_counts (owner_id, kind, row_count, byte_count)
  SELECT company_id, 'audit_log', count(*), 0 FROM audit_log GROUP BY 1;
--> statement-breakpoint
INSERT INTO usage_counts (owner_id, kind, row_count, byte_count)
  SELECT company_id, 'webhook_events', count(*), 0 FROM webhook_events GROUP BY 1;
--> statement-breakpoint
INSERT INTO usage_counts (owner_id, kind, row_count, byte_count)
  SELECT company_id, 'webhook_deliveries', count(*), 0 FROM webhook_deliveries GROUP BY 1;
--> statement-breakpoint
CREATE TRIGGER idempotency_keys_counted AFTER INSERT ON idempotency_keys BEGIN
  INSERT INTO usage_counts (owner_id, kind, row_count, byte_count) VALUES (coalesce(new.company_id, new.user_id), 'idempotency_keys', 1, coalesce(length(new.answer), 0))
    ON CONFLICT (owner_id, kind) DO UPDATE SET row_count = row_count + 1, byte_count = byte_count + excluded.byte_count;
END;
--> statement-breakpoint
CREATE TRIGGER idempotency_keys_uncounted AFTER DELETE ON idempotency_keys BEGIN
  UPDATE usage_counts SET row_count = row_count - 1, byte_count = byte_count - coalesce(length(old.answer), 0) WHERE owner_id = coalesce(old.company_id, old.user_id) AND kind = 'idempotency_keys';
END;
--> statement-breakpoint
CREATE TRIGGER idempotency_keys_measured AFTER UPDATE OF answer ON idempotency_keys BEGIN
  UPDATE usage_counts SET byte_count = byte_count + coalesce(length(new.answer), 0) - coalesce(length(old.answer), 0) WHERE owner_id = coalesce(new.company_id, new.user_id) AND kind = 'idempotency_keys';
END;
--> statement-breakpoint
CREATE TRIGGER audit_log_counted AFTER INSERT ON audit_log BEGIN
  INSERT INTO usage_counts (owner_id, kind, row_count, byte_count) VALUES (new.company_id, 'audit_log', 1, 0)
    ON CONFLICT (owner_id, kind) DO UPDATE SET row_count = row_count + 1, byte_count = byte_count + excluded.byte_count;
END;
--> statement-breakpoint
CREATE TRIGGER audit_log_uncounted AFTER DELETE ON audit_log BEGIN
  UPDATE usage_counts SET row_count = row_count - 1 WHERE owner_id = old.company_id AND kind = 'audit_log';
END;
--> statement-breakpoint
CREATE TRIGGER webhook_events_counted AFTER INSERT ON webhook_events BEGIN
  INSERT INTO usage_counts (owner_id, kind, row_count, byte_count) VALUES (new.company_id, 'webhook_events', 1, 0)
    ON CONFLICT (owner_id, kind) DO UPDATE SET row_count = row_count + 1, byte_count = byte_count + excluded.byte_count;
END;
--> statement-breakpoint
CREATE TRIGGER webhook_events_uncounted AFTER DELETE ON webhook_events BEGIN
  UPDATE usage_counts SET row_count = row_count - 1 WHERE owner_id = old.company_id AND kind = 'webhook_events';
END;
--> statement-breakpoint
CREATE TRIGGER webhook_deliveries_counted AFTER INSERT ON webhook_deliveries BEGIN
  INSERT INTO usage_counts (owner_id, kind, row_count, byte_count) VALUES (new.company_id, 'webhook_deliveries', 1, 0)
    ON CONFLICT (owner_id, kind) DO UPDATE SET row_count = row_count + 1, byte_count = byte_count + excluded.byte_count;
END;
--> statement-breakpoint
CREATE TRIGGER webhook_deliveries_uncounted AFTER DELETE ON webhook_deliveries BEGIN
  UPDATE usage_counts SET row_count = row_count - 1 WHERE owner_id = old.company_id AND kind = 'webhook_deliveries';
END;
