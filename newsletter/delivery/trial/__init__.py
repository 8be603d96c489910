"""Test emails to colleagues."""
