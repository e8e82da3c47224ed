"""Sends the requests of a load test, while a witness looks on."""
