"""A load test as data: its shape, its target, what became of it, and the page that tells. Pure.

shape → (the sender) → outcomes + the gateway's access log → result → JSON, table, page
"""
