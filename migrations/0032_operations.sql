CREATE TABLE `alerts` (
	`name` text PRIMARY KEY NOT NULL,
	`since` integer NOT NULL,
	`sent_at` integer
);
--> statement-breakpoint
CREATE TABLE `dead_letters` (
	`id` text PRIMARY KEY NOT NULL,
	`queue` text NOT NULL,
	`task_id` text,
	`delivery_id` text,
	`code` text,
	`attempts` integer NOT NULL,
	`arrived_at` integer NOT NULL,
	FOREIGN KEY (`task_id`) REFERENCES `compile_tasks`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`delivery_id`) REFERENCES `webhook_deliveries`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `dead_letters_task` ON `dead_letters` (`task_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `dead_letters_delivery` ON `dead_letters` (`delivery_id`);--> statement-breakpoint
CREATE INDEX `dead_letters_oldest` ON `dead_letters` (`arrived_at`);--> statement-breakpoint
CREATE TABLE `platform_counts` (
	`kind` text PRIMARY KEY NOT NULL,
	`value` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sweep_runs` (
	`id` text PRIMARY KEY NOT NULL,
	`started_at` integer NOT NULL,
	`finished_at` integer NOT NULL,
	`succeeded_at` integer NOT NULL,
	`failed_steps` text NOT NULL
);
--> statement-breakpoint
CREATE TRIGGER platform_photos_inserted AFTER INSERT ON content_counts BEGIN
  INSERT INTO platform_counts (kind, value) VALUES ('photos_' || new.marker_status, new.contents)
    ON CONFLICT (kind) DO UPDATE SET value = value + excluded.value;
END;
--> statement-breakpoint
CREATE TRIGGER platform_photos_updated AFTER UPDATE OF contents ON content_counts BEGIN
  UPDATE platform_counts SET value = value + new.contents - old.contents WHERE kind = 'photos_' || new.marker_status;
END;
--> statement-breakpoint
CREATE TRIGGER platform_photos_deleted AFTER DELETE ON content_counts BEGIN
  UPDATE platform_counts SET value = value - old.contents WHERE kind = 'photos_' || old.marker_status;
END;
--> statement-breakpoint
CREATE TRIGGER platform_compilations AFTER UPDATE OF state ON compile_tasks
WHEN new.state IN ('ready', 'failed') AND old.state IN ('pending', 'processing') BEGIN
  INSERT INTO platform_counts (kind, value) VALUES ('compilations_' || new.state || '_' || coalesce(new.executor, 'none'), 1)
    ON CONFLICT (kind) DO UPDATE SET value = value + 1;
END;
--> statement-breakpoint
CREATE TRIGGER platform_webhooks_inserted AFTER INSERT ON webhook_deliveries WHEN new.state = 'pending' BEGIN
  INSERT INTO platform_counts (kind, value) VALUES ('webhooks_pending', 1) ON CONFLICT (kind) DO UPDATE SET value = value + 1;
END;
--> statement-breakpoint
CREATE TRIGGER platform_webhooks_updated AFTER UPDATE OF state ON webhook_deliveries WHEN new.state <> old.state BEGIN
  UPDATE platform_counts SET value = value + (new.state = 'pending') - (old.state = 'pending') WHERE kind = 'webhooks_pending';
  INSERT INTO platform_counts (kind, value) VALUES ('webhooks_' || new.state, new.state <> 'pending')
    ON CONFLICT (kind) DO UPDATE SET value = value + excluded.value;
END;
--> statement-breakpoint
CREATE TRIGGER platform_webhooks_deleted AFTER DELETE ON webhook_deliveries WHEN old.state = 'pending' BEGIN
  UPDATE platform_counts SET value = value - 1 WHERE kind = 'webhooks_pending';
END;
--> statement-breakpoint
CREATE TRIGGER dead_letters_counted AFTER INSERT ON dead_letters BEGIN
  INSERT INTO platform_counts (kind, value) VALUES ('dead_letters_' || new.queue, 1)
    ON CONFLICT (kind) DO UPDATE SET value = value + 1;
END;
--> statement-breakpoint
CREATE TRIGGER dead_letters_uncounted AFTER DELETE ON dead_letters BEGIN
  UPDATE platform_counts SET value = value - 1 WHERE kind = 'dead_letters_' || old.queue;
END;
--> statement-breakpoint
-- A compilation that is retried, and a photo that is compiled again, have no dead letter any more.
CREATE TRIGGER dead_letters_retried AFTER UPDATE OF state ON compile_tasks WHEN old.state = 'failed' BEGIN
  DELETE FROM dead_letters WHERE task_id = new.id;
END;
--> statement-breakpoint
CREATE TRIGGER dead_letters_replaced AFTER INSERT ON compile_tasks BEGIN
  DELETE FROM dead_letters WHERE task_id IN (SELECT id FROM compile_tasks WHERE content_id = new.content_id);
END;
--> statement-breakpoint
CREATE TRIGGER dead_letters_sent_again AFTER UPDATE OF state ON webhook_deliveries WHEN old.state = 'failed' BEGIN
  DELETE FROM dead_letters WHERE delivery_id = new.id;
END;
--> statement-breakpoint
INSERT INTO platform_counts (kind, value)
  SELECT 'photos_' || marker_status, sum(contents) FROM content_counts GROUP BY marker_status;
--> statement-breakpoint
INSERT INTO platform_counts (kind, value)
  SELECT 'webhooks_pending', count(*) FROM webhook_deliveries WHERE state = 'pending';
--> statement-breakpoint
INSERT INTO dead_letters (id, queue, task_id, attempts, arrived_at)
  SELECT lower(hex(randomblob(16))), 'compile', compile_tasks.id, attempts, finished_at
  FROM compile_tasks JOIN ar_content ON ar_content.id = content_id AND ar_content.generation = compile_tasks.generation
  WHERE state = 'failed' AND error_code = 'retries_exhausted' AND deleted_at IS NULL;
--> statement-breakpoint
-- As if a sweep had just ended: the first one follows within a minute.
INSERT INTO sweep_runs (id, started_at, finished_at, succeeded_at, failed_steps)
  SELECT 'last', now, now, now, '[]' FROM (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now);
