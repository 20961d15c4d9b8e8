"""Charts: statistics and insights as pictures that a page can show (SVG).

In: who asks. Out: the numbers of `/dashboard/statistics` and `/dashboard/insights`, drawn by a library, in light and
dark, with texts for people who hear them. Called by routes; docs/dashboard.md says what each picture shows.
"""
