module dongled/hack/client16

go 1.26.0

require github.com/android-sms-gateway/client-go v1.6.0
