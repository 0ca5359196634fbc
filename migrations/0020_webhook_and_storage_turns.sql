DROP INDEX `storage_migrations_open`;--> statement-breakpoint
CREATE INDEX `storage_migrations_waiting` ON `storage_migrations` (`company_id`,`next_message_at`) WHERE state IN ('running', 'cancelled') AND finished_at IS NULL;--> statement-breakpoint
CREATE INDEX `storage_migrations_leased` ON `storage_migrations` (`company_id`) WHERE lease IS NOT NULL;--> statement-breakpoint
DROP INDEX `webhook_deliveries_open`;--> statement-breakpoint
CREATE INDEX `webhook_deliveries_waiting` ON `webhook_deliveries` (`company_id`,`next_attempt_at`) WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX `webhook_deliveries_leased` ON `webhook_deliveries` (`company_id`) WHERE lease IS NOT NULL;--> statement-breakpoint
ALTER TABLE `companies` ADD `moved_at` integer;--> statement-breakpoint
ALTER TABLE `companies` ADD `webhook_minute` integer;--> statement-breakpoint
ALTER TABLE `companies` ADD `webhook_sends` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `companies` ADD `webhooks_held_until` integer;--> statement-breakpoint
ALTER TABLE `webhook_endpoints` ADD `verified_at` integer;--> statement-breakpoint
-- A webhook that has accepted a request counts as verified. The others need a test event first.
UPDATE webhook_endpoints SET verified_at = last_delivered_at;
--> statement-breakpoint
UPDATE webhook_deliveries SET next_attempt_at = NULL WHERE state = 'pending'
  AND endpoint_id IN (SELECT id FROM webhook_endpoints WHERE verified_at IS NULL)
  AND event_id NOT IN (SELECT id FROM webhook_events WHERE type = 'webhook.test');
