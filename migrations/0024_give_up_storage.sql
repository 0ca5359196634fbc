ALTER TABLE `storage_connections` ADD `given_up_at` integer;--> statement-breakpoint
CREATE INDEX `storage_connections_given_up` ON `storage_connections` (`given_up_at`) WHERE given_up_at IS NOT NULL;