-- Nothing refers to this table, so that foreign keys may stay on; drizzle-kit would copy a column that was not there.
CREATE TABLE `__new_idempotency_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`company_id` text,
	`user_id` text,
	`creation_id` text NOT NULL,
	`lease` text,
	`lease_expires_at` integer,
	`runs` integer NOT NULL,
	`fingerprint` text,
	`answer` text,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
INSERT INTO `__new_idempotency_keys`("id", "company_id", "user_id", "creation_id", "lease", "lease_expires_at", "runs", "fingerprint", "answer", "expires_at") SELECT "id", "company_id", NULL, "creation_id", "lease", "lease_expires_at", "runs", "fingerprint", "answer", "expires_at" FROM `idempotency_keys`;--> statement-breakpoint
DROP TABLE `idempotency_keys`;--> statement-breakpoint
ALTER TABLE `__new_idempotency_keys` RENAME TO `idempotency_keys`;--> statement-breakpoint
CREATE INDEX `idempotency_keys_expiry` ON `idempotency_keys` (`expires_at`);