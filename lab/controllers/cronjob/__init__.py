"""The CronJob controller: makes a Job whenever the clock says so, and tidies up behind itself."""
