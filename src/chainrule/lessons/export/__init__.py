"""Exports of problems: courses for Open edX, question banks for Moodle, and sheets of paper."""
