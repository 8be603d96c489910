"""Names that vulture takes for unused. Each group says who uses them."""

# ruff: noqa: B018, F821

# Django, Celery, aiosmtpd and Anymail look for these.
_.beat_schedule
_.tick
_.DeskSite
_.index_template
_.get_extra
_.get_max_num
_.handle_DATA
_.NothingPosted
_.csrf_failure
_.NeutralDomain
_._has_been_logged
_.track_clicks
_.track_opens
_.esp_extra
_.merge_headers
_.merge_data
_.merge_metadata

# Commands choose a method by the word that they are given.
_._list
_._new
_._rotate
_._use
_._retire
_._recover
_._approver

# Templates print these, and forms show these fields.
_.trend_fields
_.is_current
_.week_name
_.is_shown
_.has_errors
_.hairline
_.muted
_.improved
_.unchanged
_.worsened
_.on_accent
_.alt
_.body_text
_.body_marker
_.small_print
_.introduction_direction
_.topic_slug
_.shows_topic
_.logo_url
_.colours
_.challenge_url
_.is_embedded
_.asked_about
_.email
_.website

# Columns that only the database and the desk's lists read.
_.singleton
_.frozen_at
_.started_by
_.finished_at
_.lease_until
_.deferred_by
_.predecessor
_.added_at
_.approved_at
_.is_sample
_.received_at

# Values that rows hold because an editor, a reader or a document chose them.
_.REVIEW
_.IMPROVED
_.UNCHANGED
_.WORSENED
_.WEEKS
_.CURRENT
_.LINKED
_.TUESDAY
_.WEDNESDAY
_.THURSDAY
_.FRIDAY
_.SATURDAY
_.SUNDAY
_.TOO_MUCH
_.NOT_FOR_ME
_.LANGUAGE
_.NEVER_ASKED
_.SAFETY
_.ELSEWHERE
_.DEFAULT
_.WELCOME

# Waiting for bounces, webhooks, inbound messages, rates and the import of lists.
_.settle_unknown
_.read_delivery_id
_.EVENT
_.DELIVERED
_.REJECTED
_.RATES
_.WEBHOOK
_.MAIL
_.IMPORT

# Tests script the transport in memory, and hold the documentation against the settings.
_.script_calls
_.closed
_.CONFIGURATION
