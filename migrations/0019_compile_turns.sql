ALTER TABLE `companies` ADD `compiled_at` integer;--> statement-breakpoint
CREATE INDEX `compile_tasks_waiting` ON `compile_tasks` (`company_id`,`next_attempt_at`) WHERE state IN ('pending', 'processing');--> statement-breakpoint
CREATE INDEX `compile_tasks_running` ON `compile_tasks` (`company_id`) WHERE state = 'processing' AND executor = 'node';