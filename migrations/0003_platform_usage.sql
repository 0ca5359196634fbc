ALTER TABLE `companies` ADD `usage` text;--> statement-breakpoint
ALTER TABLE `companies` ADD `usage_at` integer;