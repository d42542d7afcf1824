"""Writes a cassette by vcrpy: python3 cassette.py URL FILE."""

import sys

import conversation
import vcr

url, cassette = sys.argv[1:]
with vcr.use_cassette(cassette, record_mode="all"):
    conversation.speak(conversation.by_urllib(url, {}))
