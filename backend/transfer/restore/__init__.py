"""What a JSON export holds beside bookmarks, put back: tags, projects, tasks, attachments, pages, feedback.

Each module restores one section in batches, matches what is there already, and adds nothing twice.
`transfer/account.py` runs them in order.
"""
